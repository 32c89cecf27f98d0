import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { stringify } from 'yaml'
import { z } from 'zod'
import { type Incident, stepsOf } from '../../lib/burn-incident.ts'
import { EnvironmentError, UsageError } from '../../lib/errors.ts'
import { formatPrometheusDuration } from '../../lib/prometheus-duration.ts'
import { windowsOf } from './series.ts'
import { alertName, type Slo } from './slo.ts'
import type { Firing } from './theory.ts'
import type { Counters, Witnesses } from './witness.ts'

/** One incident for promtool. */
export interface Simulation {
  readonly slo: Slo
  readonly witnesses: Witnesses
  readonly incident: Incident
  /** Between scrapes, which are evaluations at the same time. */
  readonly stepMs: number
  /** Further events that are no bad ones, so many times those of the SLI. */
  readonly besides?: { readonly counters: readonly Counters[]; readonly times: number }
}

export interface SimulationOptions {
  /** Path of the program. */
  readonly promtool: string
  /** The text of the rule file to prove. */
  readonly rules: string
  readonly signal: AbortSignal
}

/**
 * Events between two scrapes; the rules must give the same for any number. So many that the smallest share of bad ones is
 * many whole events: with parts of events a sum's rounding would look like a counter that was reset.
 */
export const eventsPerStep = 1e9

/** Processes at a time. */
const atOnce = 2

/** Far beyond the 10 s that four days at one-minute scrapes take. */
const timeLimitMs = 300_000

/**
 * Evaluates rules in simulated time by `promtool test rules`.
 * @returns for each simulation when the alerts of its SLO fired, by their label `long_window`; those that did not are absent
 * @throws UsageError if promtool cannot evaluate the rules; EnvironmentError if it cannot be started or does not end
 */
export async function simulate(
  simulations: readonly Simulation[],
  options: SimulationOptions,
): Promise<ReadonlyMap<string, Firing>[]> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-slo-'))
  try {
    const rules = join(folder, 'rules.yml')
    await writeFile(rules, options.rules)
    const firings = simulations.map(() => new Map<string, Firing>())
    // The dearest first, so that none is begun when the others are done.
    const left = simulations.map((simulation, index) => ({ simulation, index }))
    left.sort((a, b) => costOf(a.simulation) - costOf(b.simulation))
    const work = async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        // Small ones share a process: starting one takes as long as evaluating a few of them.
        const batch = [next]
        while (left.length > 0 && batch.reduce((sum, one) => sum + costOf(one.simulation), 0) < batchCost) {
          const { stepMs } = next.simulation
          const place = left.findLastIndex(({ simulation }) => simulation.stepMs === stepMs)
          const [more] = place < 0 ? [] : left.splice(place, 1)
          if (!more) break
          batch.push(more)
        }
        const file = join(folder, `test-${next.index}.yml`)
        await writeFile(file, stringify(testFile(batch, rules), { lineWidth: 0 }))
        for (const [index, firing] of await runPromtool(file, next.simulation.stepMs, options)) {
          for (const [window, one] of firing) firings[index]?.set(window, one)
        }
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    return firings
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Samples that are read, in units of one evaluation of one sample; a million takes some 0.1 s. */
function costOf({ slo, incident, stepMs }: Simulation): number {
  const steps = stepsOf(incident)
  return steps * windowsOf(slo).reduce((sum, ms) => sum + Math.min(ms / stepMs, steps / 2), 0)
}

const batchCost = 5_000_000

function testFile(batch: readonly { simulation: Simulation; index: number }[], rules: string): unknown {
  const stepMs = batch[0]?.simulation.stepMs ?? 0
  return {
    rule_files: [rules],
    evaluation_interval: formatPrometheusDuration(stepMs),
    tests: batch.map(({ simulation, index }) => testGroup(simulation, index)),
  }
}

function testGroup(simulation: Simulation, index: number): unknown {
  const { incident, stepMs, slo } = simulation
  const step = formatPrometheusDuration(stepMs)
  // The first scrape is at 0, and so is the first evaluation.
  const end = formatPrometheusDuration((stepsOf(incident) - 1) * stepMs)
  const firing = `ALERTS{alertname=${JSON.stringify(alertName(slo))},alertstate="firing"}`
  const range = `[${formatPrometheusDuration((stepsOf(incident) + 1) * stepMs)}:${step}]`
  const named = (name: string, expr: string) =>
    `label_replace(label_replace(max by (long_window) (${expr}), "muster_what", "${name}", "", ""), "muster_incident", "${index}", "", "")`
  // Promtool prints values only of expressions that disappoint: none is expected, so that all are printed.
  const expressions = [
    named('first', `min_over_time(timestamp(${firing})${range})`),
    named('last', `max_over_time(timestamp(${firing})${range})`),
    named('count', `count_over_time(${firing}${range})`),
  ]
  return {
    interval: step,
    input_series: inputSeries(simulation),
    promql_expr_test: expressions.map((expr) => ({ expr, eval_time: end, exp_samples: [] })),
  }
}

function inputSeries({ witnesses, incident, besides }: Simulation): { series: string; values: string }[] {
  const names = new Set([...witnesses.good, ...witnesses.bad, ...(besides?.counters ?? []).flat()])
  return [...names].map((series) => {
    const share = besides ? besides.times / besides.counters.length : 0
    const always = (besides?.counters ?? []).filter((counters) => counters.includes(series)).length * share
    let value = witnesses.startsAt
    const values = incident.map(({ steps, badRatio }) => {
      const perEvent =
        (witnesses.good.includes(series) ? 1 - badRatio : 0) + (witnesses.bad.includes(series) ? badRatio : 0) + always
      const by = Math.round(perEvent * eventsPerStep)
      const first = value + by
      value += steps * by
      return `${first}+${by}x${steps - 1}`
    })
    return { series, values: values.join(' ') }
  })
}

async function runPromtool(
  file: string,
  stepMs: number,
  { promtool, signal }: SimulationOptions,
): Promise<Map<number, Map<string, Firing>>> {
  const { stdout, stderr, exitCode, timedOut, failed } = await execa(promtool, ['test', 'rules', file], {
    reject: false,
    stdin: 'ignore',
    cancelSignal: signal,
    timeout: timeLimitMs,
    maxBuffer: 100_000_000,
  })
  signal.throwIfAborted()
  if (timedOut)
    throw new EnvironmentError(
      `promtool did not end within ${timeLimitMs / 1000} s: give the machine less to do, or prove fewer SLOs at a time.`,
    )
  if (failed && exitCode === undefined)
    throw new EnvironmentError(`promtool (${promtool}) cannot be started: check the file.`)
  return parseFirings(`${stdout}\n${stderr}`, stepMs)
}

const sampleLine = /\{([^}]*\bmuster_incident="\d+"[^}]*)\} (\S+?)(?:,|$)/g
const labelPair = /(\w+)="((?:[^"\\]|\\.)*)"/g
const sampleLabels = z.object({
  muster_incident: z.coerce.number(),
  muster_what: z.enum(['first', 'last', 'count']),
  long_window: z.string().default(''),
})

/** What promtool prints besides answers. */
const expectedLine = /^(Unit Testing: .*|FAILED:|SUCCESS|expr: ".*", time: \S+,|exp: nil|)$/

/**
 * Reads what promtool says of the expressions that it was to expect nothing of.
 * @throws UsageError for whatever else it says
 */
function parseFirings(output: string, stepMs: number): Map<number, Map<string, Firing>> {
  const found = new Map<number, Map<string, Firing>>()
  for (const line of output.split('\n').map((one) => one.trim())) {
    if (!line.startsWith('got: ')) {
      if (expectedLine.test(line)) continue
      throw new UsageError(
        `promtool cannot evaluate the rules: ${line}; correct them, or have muster slo rules print them anew.`,
      )
    }
    for (const [, labels = '', value] of line.matchAll(sampleLine)) {
      const pairs = Object.fromEntries([...labels.matchAll(labelPair)].map(([, name, one]) => [name, one]))
      const { muster_incident: index, muster_what: what, long_window: window } = sampleLabels.parse(pairs)
      const own = found.get(index) ?? new Map<string, Firing>()
      found.set(index, own)
      const place = what === 'count' ? Number(value) : Math.round((Number(value) * 1000) / stepMs)
      own.set(window, { ...(own.get(window) ?? { first: -1, last: -1, count: 0 }), [what]: place })
    }
  }
  return found
}
