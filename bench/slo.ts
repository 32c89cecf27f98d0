import { performance } from 'node:perf_hooks'
import { generateIncidents, stepsOf } from '../lib/burn-incident.ts'
import { burnFactor, burnThreshold, percent } from '../lib/burn-rate.ts'
import { formatPrometheusDuration } from '../lib/prometheus-duration.ts'
import { obtain } from '../stack/obtain.ts'
import { accuracyOf, evaluate, precision, recall } from '../validators/slo/accuracy.ts'
import { proveSlo } from '../validators/slo/proof.ts'
import { burnRules } from '../validators/slo/rules.ts'
import { eventsPerStep, simulate } from '../validators/slo/simulation.ts'
import { slosSchema } from '../validators/slo/slo.ts'
import { witnessesOf } from '../validators/slo/witness.ts'

/**
 * Burn-rate alerts: precision and recall over generated incidents, muster's evaluator against promtool on one incident of
 * four days at one-minute scrapes, and how long a whole proof takes.
 * Usage: node --import tsx bench/slo.ts [incidents, 200 by default]
 */
const count = Number(process.argv[2] ?? 200)
const stepMs = 60_000
const sli = { total: 'http_requests_total{job="api"}', bad: 'http_requests_total{job="api",status=~"5.."}' }
const [slo] = slosSchema.parse([{ name: 'availability', service: 'api', sli, objective: 0.999 }])
if (!slo) throw new Error('no SLO')
const alerts = slo.windows.map((window) => ({
  ...window,
  threshold: burnThreshold(burnFactor(window, slo.periodMs), slo.objective),
}))

console.log(`\n${count} generated incidents, seed 1, objective ${percent(slo.objective)}`)
console.log('| alert | matter | caught | missed | false | precision | recall |')
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |')
const begun = performance.now()
const { each, together } = accuracyOf(alerts, { count, seed: 1, stepMs })
const seconds = (performance.now() - begun) / 1000
for (const [index, one] of [...each, together].entries()) {
  const alert = alerts[index]
  const name = alert ? `${formatPrometheusDuration(alert.longMs)} / ${formatPrometheusDuration(alert.shortMs)}` : 'any'
  const share = (value: number | undefined) => (value === undefined ? '-' : percent(value))
  const cells = [
    name,
    one.caught + one.missed,
    one.caught,
    one.missed,
    one.false,
    share(precision(one)),
    share(recall(one)),
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
console.log(`in ${seconds.toFixed(2)} s`)

const { promtool } = await obtain(['promtool'])
const signal = AbortSignal.timeout(600_000)
const witnesses = witnessesOf(slo.sli)
if (typeof witnesses === 'string') throw new Error(witnesses)
const [incident = []] = generateIncidents(1, 1, {
  windows: alerts,
  thresholds: alerts.map((one) => one.threshold),
  stepMs,
})
const ours = await timed(async () => evaluate(alerts, incident, stepMs, witnesses.startsAt / eventsPerStep))
const theirs = await timed(() =>
  simulate([{ slo, witnesses, incident, stepMs }], { promtool, rules: burnRules(slo), signal }),
)
const days = (stepsOf(incident) * stepMs) / 86_400_000
console.log(
  `\none incident of ${days.toFixed(1)} days, four alerts: promtool ${theirs.toFixed(1)} s, muster's evaluator ${(ours * 1000).toFixed(1)} ms`,
)
const proof = await timed(() =>
  proveSlo(slo, { promtool, rules: burnRules(slo), incidents: count, seed: 1, accuracy: 0.95, signal }),
)
console.log(`muster slo prove, one SLO: ${proof.toFixed(1)} s`)

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}
