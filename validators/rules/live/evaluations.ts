import { formatDuration } from '../../../lib/duration.ts'
import type { CheckResult } from '../../../lib/verdict.ts'
import { literal } from '../../backends/prometheus.ts'
import type { LoadedGroup } from '../../backends/prometheus-catalogue.ts'
import { judged } from '../../check.ts'
import type { LiveContext, LiveSource } from './source.ts'

const expectedTime = 'each group is evaluated within its interval'
const window = '1h'

const questions = {
  evaluations: { id: 'alerts.rules.live.evaluations', title: 'Rules: no evaluation fails', signal: 'alerts' },
  time: { id: 'alerts.rules.live.evaluation-time', title: `Rules: ${expectedTime}`, signal: 'alerts' },
} as const

/** What is asked of the evaluations. */
export const evaluationQuestions = Object.values(questions)

/** Whether Prometheus evaluates these rules without failure, and in time; skipped if it has loaded none of them. */
export async function evaluationResults({ rules, source }: LiveContext): Promise<CheckResult[]> {
  const began = performance.now()
  const ours = (await source.catalogue.groups(source.signal)).filter(({ name, rules: loaded }) =>
    rules.some(({ group, rule }) => group.name === name && loaded.some((one) => one.name === rule.name)),
  )
  const asking = {
    window: { from: source.now - 3_600_000, to: source.now },
    reproduce: source.prometheus.client.curl('/api/v1/rules'),
  }
  if (ours.length === 0) {
    const reason = `Prometheus at ${source.prometheus.client.url} has loaded none of these rules, so it evaluates none.`
    const evidence = { ...asking, expected: expectedTime, actual: 'no group of these rules', attempts: 1, elapsedMs: 0 }
    return evaluationQuestions.map((question) => ({ ...question, verdict: 'skipped', reason, evidence }))
  }
  const [failures, missed] = await Promise.all([
    grown('prometheus_rule_evaluation_failures_total', source),
    grown('prometheus_rule_group_iterations_missed_total', source),
  ])
  const evaluated = ours.flatMap(({ rules: loaded }) => loaded)
  const unknown = evaluated.filter(({ health }) => health === 'unknown').length
  const outcomes = {
    evaluations: judged(
      {
        actual: `${evaluated.length} loaded rules, ${unknown} of them not evaluated yet${failures ? '' : '; Prometheus does not scrape itself, so earlier failures are not known'}`,
        problems: ours.flatMap((group) => failed(group, failures)),
        empty: unknown === evaluated.length,
      },
      { ...asking, expected: 'health ok, and no failure within the last hour' },
    ),
    time: judged(
      {
        actual: ours.map((group) => `${group.name} ${share(group)}`).join(', '),
        problems: ours.flatMap((group) => late(group, missed)),
        empty: unknown === evaluated.length,
      },
      { ...asking, expected: expectedTime },
    ),
  }
  const elapsedMs = Math.round(performance.now() - began)
  return (['evaluations', 'time'] as const).map((id) => {
    const { evidence, ...rest } = outcomes[id]
    return { ...questions[id], ...rest, evidence: { ...evidence, elapsedMs } }
  })
}

type Growth = ReadonlyMap<string, number> | undefined

/** By how much a counter of rule groups has grown within the last hour; undefined if Prometheus does not scrape itself. */
async function grown(metric: string, { prometheus, now, signal }: LiveSource): Promise<Growth> {
  const found = await prometheus.instantAt(
    `sum by (rule_group) (increase({__name__=${literal(metric)}}[${window}]))`,
    now,
    signal,
  )
  if (found.length === 0) return undefined
  return new Map(found.map(({ labels, value }) => [labels.rule_group ?? '', value]))
}

function failed(group: LoadedGroup, failures: Growth): string[] {
  const wrong = group.rules.filter(({ health }) => health === 'err')
  const sentences = wrong.map(({ name, lastError }) => `${group.name}: ${name} fails to be evaluated: ${lastError}`)
  const count = failures?.get(`${group.file};${group.name}`) ?? 0
  if (sentences.length === 0 && count > 0) {
    sentences.push(
      `${group.name}: about ${Math.ceil(count)} evaluations have failed within the last hour; the last went well`,
    )
  }
  return sentences
}

function late(group: LoadedGroup, missed: Growth): string[] {
  const count = missed?.get(`${group.file};${group.name}`) ?? 0
  if (group.evaluationMs >= group.intervalMs) {
    return [`${group.name}: an evaluation took ${share(group)}: split the group, or record what is costly`]
  }
  return count > 0 ? [`${group.name}: about ${Math.ceil(count)} evaluations were left out within the last hour`] : []
}

function share({ evaluationMs, intervalMs }: LoadedGroup): string {
  return `${evaluationMs < 10 ? evaluationMs.toPrecision(2) : Math.round(evaluationMs)} ms of ${formatDuration(intervalMs)}`
}
