import { readFileSync } from 'node:fs'
import { docsFolder, documentedChecks } from '../../reports/check-docs.ts'
import { makeProgram } from '../program.ts'
import { checkPage, parseSabotages } from './check-pages.ts'
import { commandReference } from './commands.ts'
import { configJsonSchema, settingsReference } from './settings.ts'

const remark = '<!-- Written by `node --import tsx cli/docs/generate.ts`; change what it is made of instead. -->\n\n'

/** Every file of docs/ that is made of something else, by its path there. */
export function documents(): ReadonlyMap<string, string> {
  const checks = documentedChecks()
  const sabotages = parseSabotages(readFileSync(new URL('sabotages.md', docsFolder), 'utf8'))
  return new Map([
    ['commands.md', remark + commandReference(makeProgram(() => {}))],
    ['config.md', remark + settingsReference()],
    ['config.schema.json', configJsonSchema()],
    ...checks.map((check): [string, string] => [
      `checks/${check.page}.md`,
      remark + checkPage(check, checks, sabotages),
    ]),
  ])
}
