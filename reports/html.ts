import type { Reporter } from '../lib/event.ts'
import { RewrittenFile } from './atomic-file.ts'
import { bundleAssets } from './html/assets.ts'
import { renderPage } from './html/page.ts'
import { RunFacts } from './run-facts.ts'
import { asRead } from './run-record.ts'

export interface HtmlReporterOptions {
  /** The file to write, `report.html` of the report folder. */
  readonly path: string
  readonly runId: string
  /** The resolved configuration; the caller has taken the secrets out. */
  readonly config: unknown
  /** How often the file is rewritten at most; a long page takes a second to write, in which nothing else is done. */
  readonly intervalMs?: number
}

/** Writes `report.html`, one file that needs no other. A cut-off run leaves a page that says so. */
export async function htmlReporter(options: HtmlReporterOptions): Promise<Reporter> {
  const assets = await bundleAssets()
  const facts = new RunFacts()
  const file = new RewrittenFile(
    options.path,
    () => renderPage(asRead(facts, options), assets),
    options.intervalMs ?? 15_000,
  )
  return {
    name: 'html',
    on: (event) => {
      facts.add(event)
      if (event.type === 'run-ended') file.flush()
      else if (event.type !== 'phase' && event.type !== 'load-progress') file.touch()
    },
    close: () => file.flush(),
  }
}
