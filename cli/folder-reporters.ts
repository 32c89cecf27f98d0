import type { Reporter } from '../lib/event.ts'
import type { ReportFolder } from '../reports/folder.ts'
import { htmlReporter } from '../reports/html.ts'
import { jsonReporter } from '../reports/json.ts'
import { junitReporter } from '../reports/junit.ts'
import { type Config, publicConfig } from '../validators/config.ts'

/** The files that every run leaves behind, whatever else is reported: junit.xml, run.json and report.html. */
export async function folderReporters(folder: ReportFolder, runId: string, config: Config): Promise<Reporter[]> {
  const shared = { runId, config: publicConfig(config) }
  return [
    junitReporter({ path: folder.junit }),
    jsonReporter({ path: folder.json, ...shared }),
    await htmlReporter({ path: folder.html, ...shared }),
  ]
}
