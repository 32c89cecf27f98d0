import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** What is inlined in every report. */
export interface Assets {
  readonly script: string
  readonly style: string
}

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** Bundles the page's script and style; some 100 ms. */
export async function bundleAssets(): Promise<Assets> {
  const bundled = build({
    entryPoints: [here('client/main.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    platform: 'browser',
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'silent',
    // A file of the user's must not change what the report does.
    tsconfigRaw: {},
  })
  const plots = createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css')
  const [{ outputFiles }, ...styles] = await Promise.all([
    bundled,
    readFile(plots, 'utf8'),
    readFile(here('style.css'), 'utf8'),
  ])
  const script = outputFiles[0]?.text ?? ''
  // The one text that would end the element that holds it.
  return { script: script.replaceAll('</script', '<\\/script'), style: styles.join('\n') }
}
