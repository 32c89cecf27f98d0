import { type ExitCode, exitCodes } from '../lib/errors.ts'
import { cacheFolder, cacheSize } from '../stack/cache.ts'
import { obtain, pruneCache } from '../stack/obtain.ts'
import { binaryNames } from '../stack/recipes.ts'
import { interruptible } from './interrupt.ts'

/** `muster setup`: gets k6 and the backends ahead of time, or prunes the cache. */
export async function setupCommand({ prune }: { readonly prune?: boolean }): Promise<ExitCode> {
  const signal = interruptible()
  if (prune) {
    await pruneCache({ signal })
  } else {
    let last = ''
    const found = await obtain([...binaryNames], {
      signal,
      onProgress: ({ text }) => {
        if (text !== last) process.stdout.write(`${text}\n`)
        last = text
      },
    })
    for (const name of binaryNames) process.stdout.write(`${name.padEnd(13)} ${found[name]}\n`)
  }
  process.stdout.write(`The cache ${cacheFolder()} holds ${Math.round((await cacheSize()) / 1024 / 1024)} MiB.\n`)
  return exitCodes.passed
}
