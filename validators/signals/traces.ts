import { binomialBand } from '../../lib/binomial.ts'
import type { TraceTopic } from '../../lib/trace-examination.ts'
import { namedBy } from '../backends/trace-source.ts'
import type { Check, Finding, Outcome } from '../check.ts'
import { pipelineDeadline, type ScenarioContext } from '../context.ts'
import { tracedAs, unlessAbsent, whyUnjudged } from '../coverage.ts'
import type { Traced } from '../roll-call/traced.ts'
import { called, findingOf } from './roll-call.ts'

/** What is asked of every trace of a scenario, by what can be wrong with it. */
const questions: readonly (readonly [topic: TraceTopic, title: string])[] = [
  ['tree', 'every trace is one tree under the announced parent'],
  ['spans', 'every trace has the spans that its step promises, and no others'],
  ['status', 'every span says how its request ended'],
  ['attributes', 'every span has the required attributes'],
  ['times', 'every span lies within its parent'],
]

/** Checks on the traces of all requests of a scenario. */
export function tracesChecks(context: ScenarioContext): Check[] {
  const check = (id: string, title: string, run: () => Promise<Outcome>): Check => ({
    id: `traces.${id}`,
    title,
    signal: 'traces',
    scenario: context.scenario.name,
    run,
  })
  const alone: Check = {
    id: 'load.alone',
    title: 'nobody else used the services in the window',
    signal: 'load',
    scenario: context.scenario.name,
    run: () => nobodyElse(context),
  }
  const { services, traces } = context.config
  const names = Object.keys(services)
  const reasons = names.map((name) => whyUnjudged(context, name, 'traces'))
  // What no service does is told by the first of them; that one service does not do it, by its own.
  const untraced = reasons.includes(undefined) ? undefined : reasons[0]
  return [
    ...unlessAbsent(untraced, [alone]),
    ...names.flatMap((name) => {
      const service = services[name]
      const own = check(`ids.${name}`, `${name} traced exactly the requests it was sent`, () => ids(context, name))
      const across = check(`queue.${name}`, `work handed to ${name} is connected across the queue`, () =>
        queue(context, name, tracedAs(service ?? {})),
      )
      const checks = service?.requests.kind === 'queue' ? [own, across] : [own]
      return unlessAbsent(whyUnjudged(context, name, 'traces'), checks)
    }),
    ...unlessAbsent(untraced, [
      ...questions.map(([topic, title]) => check(topic, title, () => shape(context, topic, title))),
      ...(traces.sampling
        ? [check('sampled', 'the share of requests that was traced is the declared one', () => sampled(context))]
        : []),
    ]),
  ]
}

/** The evidence that all have in common; the first id at fault is the one to look at. */
async function asked(
  context: ScenarioContext,
  expected: string,
  examine: (traced: Traced) => Finding,
): Promise<Outcome> {
  const source = context.backends.traces
  return called(context, async (rollCall) => {
    const traced = await rollCall.traces()
    const finding = examine(traced)
    const named = finding.problems.map((text) => /^[0-9a-f]{32}/.exec(text)?.[0]).find((id) => id !== undefined)
    const first = named ?? (rollCall.roll.size > 0 ? rollCall.roll.id(0) : undefined)
    const reference = first === undefined ? {} : source.reproduce(first)
    const { passes, elapsedMs, tries } = traced
    return {
      finding,
      asking: { expected, deadline: pipelineDeadline().words, ...reference },
      attempts: passes,
      elapsedMs,
      tries,
      lost: [...traced.services.values()].some(({ tally }) => tally.missing > 0) ? 'traces' : undefined,
    }
  })
}

function ids(context: ScenarioContext, name: string): Promise<Outcome> {
  return asked(context, `every request to ${name} is traced, by id`, ({ services }) => {
    const found = services.get(name)
    if (found === undefined) throw new RangeError(`${name} is not among services`)
    return findingOf(found.tally, 'traced')
  })
}

function shape(context: ScenarioContext, topic: TraceTopic, expected: string): Promise<Outcome> {
  return asked(context, expected, ({ topics, examined, shaped, eligible }) => {
    const problems = topics.get(topic)
    const judged = topic === 'spans' ? shaped : examined
    return {
      actual: `${problems?.count ?? 0} of ${judged} traces are not so`,
      problems: summed(problems?.count ?? 0, problems?.texts ?? []),
      empty: examined === 0 && eligible > 0,
    }
  }).then((outcome) => proven(outcome, context, topic))
}

/** Others' requests are counted by the services like ours; then a surplus is no fault of theirs. */
function nobodyElse(context: ScenarioContext): Promise<Outcome> {
  return asked(context, 'no trace in the window but those of this run', ({ foreign, examined }) => ({
    actual: `${foreign.count} foreign traces beside ${examined}`,
    problems: foreign.count === 0 ? [] : [`${foreign.count} requests of others in the window`, ...foreign.texts],
  }))
}

/** Where no step promises a shape there is nothing to hold a trace against. */
function proven(outcome: Outcome, { ledger }: ScenarioContext, topic: TraceTopic): Outcome {
  if (topic !== 'spans' || outcome.verdict !== 'passed') return outcome
  if (ledger?.steps.some(({ declared }) => declared.trace !== undefined)) return outcome
  return { ...outcome, verdict: 'skipped', reason: 'no step of this scenario promises the spans of its trace' }
}

async function queue(context: ScenarioContext, name: string, declared: string): Promise<Outcome> {
  const service = namedBy(context.backends.traces, declared)
  const promised = context.ledger?.steps.some(({ declared: step, attempted }) => {
    return step.services.includes(name) && attempted[0] > 0
  })
  const outcome = await asked(context, `every trace of work for ${name} has its producer`, (traced) => {
    const { topics, queued, services } = traced
    const own = (topics.get('queue')?.texts ?? []).filter((text) => text.includes(` ${service} "`))
    const tally = services.get(name)?.tally
    const lost = tally?.missing ?? 0
    return {
      actual: `${queued.get(service) ?? 0} traces pass over the queue, ${lost} do not arrive`,
      problems: [...own, ...(lost > 0 ? [`${lost} traces end before ${name}`, ...(tally?.missingIds ?? [])] : [])],
      empty: (queued.get(service) ?? 0) === 0 && promised === true,
    }
  })
  if (outcome.verdict !== 'passed' || promised) return outcome
  return { ...outcome, verdict: 'skipped', reason: 'no step of this scenario makes such a trace' }
}

/** A service that decides by chance keeps a share within the band that chance allows; a tail sampler, at least that. */
function sampled(context: ScenarioContext): Promise<Outcome> {
  const { sampling } = context.config.traces
  const share = sampling?.share ?? 1
  const tail = sampling?.by === 'tail'
  const words = `${share * 100} % of the requests, within the 99.9 % band of chance`
  return asked(context, tail ? `${words}, besides the kept classes` : words, ({ chance: { eligible, seen } }) => {
    const [least, most] = binomialBand(eligible, share)
    const problems =
      seen >= least && seen <= most ? [] : [`${seen} of ${eligible} requests were traced, not ${least} to ${most}`]
    return {
      actual: `${seen} of ${eligible} traced; ${least} to ${most} allowed`,
      problems,
      empty: eligible === 0,
    }
  })
}

function summed(count: number, texts: readonly string[]): string[] {
  return count > texts.length ? [...texts, `… and ${count - texts.length} more`] : [...texts]
}
