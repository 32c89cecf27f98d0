import { dirname } from 'node:path'
import { UsageError } from '../../../lib/errors.ts'
import { allRoutes } from '../../../lib/route-tree.ts'
import { filesMatching } from '../../rules/files.ts'
import type { Examined, Finding } from './finding.ts'

/** Definitions that nothing uses, and template files that are not there. */
export async function unusedDefinitions({ file, derived }: Examined): Promise<Finding[]> {
  const routes = allRoutes(file.root)
  const answering = new Set(derived.filter(({ state }) => state === 'answers').map(({ route }) => route.receiver))
  const named = new Set(routes.flatMap((route) => [...route.muteTimeIntervals, ...route.activeTimeIntervals]))
  const note = (line: number, sentence: string): Finding => ({ kind: 'unused', severity: 'noted', line, sentence })
  const receivers = [...file.receivers.values()]
    .filter(({ name }) => !answering.has(name))
    .map(({ name, line }) => {
      const routed = routes.some(({ receiver }) => receiver === name)
      return note(
        line,
        `receiver ${name} ${routed ? 'is told of no alert by the routes that name it' : 'is named by no route'}`,
      )
    })
  const intervals = [...file.timeIntervals.values()]
    .filter(({ name }) => !named.has(name))
    .map(({ name, line }) => note(line, `time interval ${name} is named by no route`))
  const templates = await Promise.all(
    file.templates.map(async ({ pattern, line }): Promise<Finding[]> => {
      try {
        await filesMatching([pattern], dirname(file.path), 'templates')
        return []
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
        return [{ kind: 'unused', severity: 'fails', line, sentence: `templates ${pattern} matches no file` }]
      }
    }),
  )
  return [...receivers, ...intervals, ...templates.flat()]
}
