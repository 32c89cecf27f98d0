import type { Reporter } from '../lib/event.ts'
import type { ReportFolder } from '../reports/folder.ts'
import { htmlReporter } from '../reports/html.ts'
import { jsonReporter } from '../reports/json.ts'
import { junitReporter } from '../reports/junit.ts'
import { multiplex } from '../reports/multiplexer.ts'
import { type Config, publicConfig } from '../validators/config.ts'

/** The reports that every run leaves behind: junit.xml, run.json and report.html. */
export async function fileReporters(folder: ReportFolder, runId: string, config: Config): Promise<Reporter[]> {
  const shared = { runId, config: publicConfig(config) }
  return [
    junitReporter({ path: folder.junit }),
    jsonReporter({ path: folder.json, ...shared }),
    await htmlReporter({ path: folder.html, ...shared }),
  ]
}

/** Passes events to all; a reporter that fails is named on stderr, once. */
export function together(reporters: readonly Reporter[]): Reporter {
  return multiplex(reporters, (who, error) =>
    process.stderr.write(`The ${who} report fails: ${error instanceof Error ? error.message : String(error)}\n`),
  )
}
