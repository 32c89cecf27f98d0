import { growth } from '../../lib/counter.ts'
import { eventually } from '../../lib/poll.ts'
import type { Window } from '../../lib/verdict.ts'
import { BackendError, isFinal } from '../backends/http.ts'
import { literal, type Series } from '../backends/prometheus.ts'
import { type Check, concluded, type Finding, type Outcome } from '../check.ts'
import { lookback, pipelineDeadline, present, type RunContext, scrapeDeadline } from '../context.ts'
import { Absent, jobsOf, logsOf, unlessAbsent } from '../coverage.ts'

/** Checks on the observability itself, over the whole of the run. */
export function stackChecks(context: RunContext, window: Window): Check[] {
  const check = (id: string, title: string, run: () => Promise<Outcome>): Check => ({
    id: `stack.${id}`,
    title,
    signal: 'stack',
    run,
  })
  const reason = context.backends.lacks('prometheus') ? Absent.backend('prometheus').message : undefined
  return [
    ...unlessAbsent(reason, [
      check('targets', 'every target was scraped without a gap', () => targets(context, window)),
      ruleless(
        context,
        check('rules', 'every rule was evaluated without a failure', () => rules(context, window)),
      ),
      check('pipeline', 'what the collector accepted was sent on and can be queried', () => pipeline(context, window)),
      check('discards', 'Loki discarded nothing', () => discards(context, window)),
    ]),
  ]
}

/** Muster's own stack has rules; somebody's own Prometheus need not. */
function ruleless({ config, facts }: RunContext, check: Check): Check {
  if (config.backends === undefined || facts.rules.length > 0) return check
  return { ...check, skip: 'Prometheus has no rules' }
}

async function rawUntil(
  context: RunContext,
  window: Window,
  selector: string,
  expected: string,
  deadline: { ms: number; words: string },
  examine: (series: readonly Series[], attempt: AbortSignal) => Promise<Finding> | Finding,
): Promise<Outcome> {
  const { prometheus } = context.backends
  const from = window.from + context.facts.clockOffsetMs
  const start = from - lookback(context.facts)
  const polled = await eventually(
    async (attempt) =>
      examine(await prometheus.raw(selector, start, present(context) + context.facts.clockOffsetMs, attempt), attempt),
    ({ problems, empty }) => problems.length === 0 && !empty,
    { withinMs: deadline.ms, signal: context.signal, isFinal, firstPauseMs: 200 },
  )
  const { query, time } = prometheus.rawQuery(selector, start, window.to + context.facts.clockOffsetMs + deadline.ms)
  return concluded(polled, {
    expected,
    window,
    query,
    deadline: deadline.words,
    reproduce: prometheus.client.curl('/api/v1/query', { query, time }),
    ...prometheus.client.link(`/targets`),
  })
}

function targets(context: RunContext, window: Window): Promise<Outcome> {
  const { facts, config } = context
  const jobs = jobsOf(config)
  // A scrape may be late by its own duration on a busy machine; two missing in a row are a gap.
  const widest = 2.5 * facts.scrapeMs
  return rawUntil(
    context,
    window,
    'up',
    `up = 1 in every scrape, none missing (gaps up to ${widest / 1000} s)`,
    scrapeDeadline(facts),
    (series) => {
      const problems: string[] = []
      const lost: string[] = []
      for (const { labels, samples } of series) {
        // Somebody's own Prometheus scrapes much that is no part of this, each at an interval of its own.
        if (config.backends !== undefined && !jobs.has(labels.job ?? '')) continue
        const inside = samples.filter(({ at }) => at > window.from + facts.clockOffsetMs)
        const who = `${labels.job} ${labels.instance}`
        const down = inside.filter(({ value }) => value !== 1)
        // A backend that is gone is no fault of the services: then muster could not ask.
        const list = jobs.has(labels.job ?? '') ? problems : lost
        if (down.length > 0) list.push(`${who} was down in ${down.length} of ${inside.length} scrapes`)
        const times = [
          window.from + facts.clockOffsetMs,
          ...inside.map(({ at }) => at),
          Math.max(window.to + facts.clockOffsetMs, inside.at(-1)?.at ?? 0),
        ]
        const gap = Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)))
        if (gap > widest) list.push(`${who} was not scraped for ${(gap / 1000).toFixed(1)} s`)
      }
      const absent = [...jobs].filter((job) => !series.some(({ labels }) => labels.job === job))
      problems.push(...absent.map((job) => `job ${job} has no target`))
      if (problems.length === 0 && lost.length > 0) throw new BackendError('transport', lost.join('; '))
      return { actual: `${series.length} targets`, problems: [...problems, ...lost], empty: series.length === 0 }
    },
  )
}

function rules(context: RunContext, window: Window): Promise<Outcome> {
  const { facts, backends } = context
  return rawUntil(
    context,
    window,
    'prometheus_rule_evaluation_failures_total',
    'no failed evaluation',
    scrapeDeadline(facts),
    async (series, attempt) => {
      const all = await backends.prometheus.rules(attempt)
      const failed = series.flatMap(({ labels, samples }) => {
        const grew = growth(samples, window.from + facts.clockOffsetMs, true)
        return grew.known && grew.growth > 0 ? [`${grew.growth} failed evaluations in ${labels.rule_group}`] : []
      })
      const unhealthy = all
        .filter(({ healthy }) => !healthy)
        .map(({ name, lastError }) => `${name}: ${lastError || 'not evaluated'}`)
      return {
        actual: `${all.length} rules, ${unhealthy.length} unhealthy`,
        problems: [...failed, ...unhealthy],
        empty: all.length === 0,
      }
    },
  )
}

/** Services export every 200 ms and the collector every 100 ms: after such a silence nothing is on its way; longest first. */
const silencesMs = [2000, 600]
const scrapesTried = 5

/**
 * The last scrape of the collector before the window at which no log line was on its way, in Prometheus' time. A line
 * written before a scrape and accepted after it (that of the preflight's own request) would be counted on one side only.
 */
async function quietStart(
  context: RunContext,
  window: Window,
  series: readonly Series[],
  attempt: AbortSignal,
): Promise<number> {
  const { facts, backends, config } = context
  const from = window.from + facts.clockOffsetMs
  const accepted = series.filter(({ labels }) => labels.__name__?.startsWith('otelcol_receiver_accepted_log_records'))
  const times = new Set(accepted.flatMap(({ samples }) => samples.map(({ at }) => at).filter((at) => at <= from)))
  const scrapes = [...times].sort((one, other) => other - one).slice(0, scrapesTried)
  const selectors = Object.values(config.services).map((service) => logsOf(service).selector)
  for (const silence of silencesMs) {
    for (const at of scrapes) {
      const to = at - facts.clockOffsetMs
      const counts = await Promise.all(
        selectors.map((selector) => backends.loki.count(selector, [], to - silence, to, attempt)),
      )
      if (counts.flat().every(({ count }) => count === 0)) return at
    }
  }
  return from
}

/** The collector's counters of one signal, as OpenTelemetry's collector names them. */
const collectorSignals = [
  {
    what: 'spans',
    accepted: /^otelcol_receiver_accepted_spans(_total)?$/,
    sent: /^otelcol_exporter_sent_spans(_total)?$/,
  },
  {
    what: 'log records',
    accepted: /^otelcol_receiver_accepted_log_records(_total)?$/,
    sent: /^otelcol_exporter_sent_log_records(_total)?$/,
  },
] as const

async function pipeline(context: RunContext, window: Window): Promise<Outcome> {
  const { facts, backends, config } = context
  const selector =
    '{__name__=~"otelcol_(receiver_(accepted|refused)|exporter_(sent|send_failed|enqueue_failed))_(spans|log_records)(_total)?|otelcol_exporter_queue_size",job="collector"}'
  const deadline = {
    ms: scrapeDeadline(facts).ms + pipelineDeadline().ms,
    words: `${scrapeDeadline(facts).words} + ${pipelineDeadline().words}`,
  }
  const outcome = await rawUntil(
    context,
    window,
    selector,
    'accepted = sent on = queryable; queues empty; nothing refused or failed',
    deadline,
    async (series, attempt) => {
      const from = await quietStart(context, window, series, attempt)
      const problems: string[] = []
      const total = (pattern: RegExp) =>
        series
          .filter(({ labels }) => pattern.test(labels.__name__ ?? ''))
          .reduce((sum, { samples }) => {
            const grew = growth(samples, from, true)
            if (!grew.known) problems.push(grew.why)
            return sum + (grew.known ? grew.growth : 0)
          }, 0)
      const held = (pattern: RegExp) =>
        series
          .filter(({ labels }) => pattern.test(labels.__name__ ?? ''))
          .reduce((sum, { samples }) => sum + (samples.at(-1)?.value ?? 0), 0)
      const until = window.to + facts.clockOffsetMs
      if (series.some(({ samples }) => (samples.at(-1)?.at ?? 0) <= until))
        problems.push('the collector was not scraped after the load')
      const words: string[] = []
      for (const { what, accepted, sent } of collectorSignals) {
        const [taken, passed] = [total(accepted), total(sent)]
        words.push(`${taken} ${what} accepted, ${passed} sent`)
        // A tail sampler takes more than it sends on.
        if (what === 'spans' && config.traces.sampling?.by === 'tail') continue
        // What was under way when the window began is sent on in it: then the totals since the collector's start agree.
        if (taken !== passed && held(accepted) !== held(sent))
          problems.push(`${taken} ${what} accepted, ${passed} sent on`)
      }
      const lost = total(/refused|failed/)
      if (lost > 0) problems.push(`${lost} spans or log records refused or failed`)
      for (const { labels, samples } of series) {
        const waiting = samples.at(-1)?.value ?? 0
        if (labels.__name__ === 'otelcol_exporter_queue_size' && waiting > 0)
          problems.push(`${waiting} batches wait in the queue of ${labels.exporter}`)
      }
      const scrapes = series
        .filter(({ labels }) => labels.__name__?.startsWith('otelcol_receiver_accepted_log_records'))
        .map(({ samples }) => ({
          first: samples.filter(({ at }) => at <= from).at(-1)?.at ?? from,
          last: samples.at(-1)?.at ?? from,
        }))
      const since = Math.min(...scrapes.map(({ first }) => first)) - facts.clockOffsetMs
      const accepted = total(collectorSignals[1].accepted)
      if (scrapes.length > 0) {
        let queryable = 0
        for (const service of Object.values(config.services)) {
          const { selector } = logsOf(service)
          for (const { count } of await backends.loki.count(selector, [], since, present(context) + 1000, attempt))
            queryable += count
        }
        words.push(`${queryable} lines queryable`)
        if (queryable !== accepted)
          problems.push(`${accepted} log records accepted, ${queryable} lines queryable in Loki`)
      }
      if (problems.length > 0) {
        // Data that waits for a backend that is gone is no fault of the pipeline: this throws if one is.
        const traced = backends.lacks('traces') ? [] : [backends.traces.services(attempt)]
        await Promise.all([...traced, backends.loki.version(attempt)])
      }
      return { actual: words.join('; '), problems, empty: series.length === 0 }
    },
  )
  if (outcome.verdict !== 'no-data') return outcome
  return {
    ...outcome,
    verdict: 'skipped',
    reason: 'Prometheus scrapes no OpenTelemetry collector under the job "collector"',
  }
}

async function discards(context: RunContext, window: Window): Promise<Outcome> {
  const { facts } = context
  const from = window.from + facts.clockOffsetMs
  const selector = `{__name__=~"loki_discarded_samples_total|up",job=${literal('loki')}}`
  const outcome = await rawUntil(
    context,
    window,
    selector,
    'loki_discarded_samples_total does not grow',
    scrapeDeadline(facts),
    (series) => {
      const scraped = series.some(
        ({ labels, samples }) => labels.__name__ === 'up' && samples.some(({ at, value }) => at > from && value === 1),
      )
      const problems = series.flatMap(({ labels, samples }) => {
        if (labels.__name__ === 'up') return []
        const grew = growth(samples, from, true)
        if (!grew.known) return [grew.why]
        return grew.growth > 0 ? [`${grew.growth} lines discarded: ${labels.reason}`] : []
      })
      return {
        actual: scraped ? `${problems.length} reasons to discard` : 'Loki is not scraped',
        problems,
        empty: !scraped,
      }
    },
  )
  if (outcome.verdict !== 'no-data') return outcome
  return { ...outcome, verdict: 'skipped', reason: 'Prometheus scrapes no Loki under the job "loki"' }
}
