import { readFileSync } from 'node:fs'
import { parseRuleFile } from './rule-file.ts'
import { readRules } from './reading.ts'
import { situationOf } from './situation.ts'
for (const f of process.argv.slice(2)) for (const c of readRules(parseRuleFile(readFileSync(f, 'utf8'), f))) {
  const t = process.cpuUsage()
  const s = situationOf(c)
  const u = process.cpuUsage(t)
  console.log(c.rule.name, 'recs', c.recordings.length, 'step', s.pace.stepMs, 'window', s.pace.window, 'steps', s.incidents.reduce((a, i) => a + i.steps, 0), 'inc', s.incidents.length, 'cpu', Math.round(u.user / 1000), 'tried', s.sought?.tried, s.apart, s.underivable ?? '')
}
