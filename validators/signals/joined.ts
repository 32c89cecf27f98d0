import { outliersOf, toleranceInWords } from '../../lib/clock-readings.ts'
import type { Check, Outcome } from '../check.ts'
import type { ScenarioContext } from '../context.ts'
import { needFacts, unlessAbsent, whyUnjudged } from '../coverage.ts'
import { differencesOf } from '../roll-call/joined.ts'
import { called } from './roll-call.ts'

const questions = [
  ['spans', 'every line names a span of its trace'],
  ['statuses', 'line and span agree on the status'],
  ['span-durations', 'line and span agree on the duration'],
] as const
const needs = { spans: ['span_id'], statuses: ['status'], 'span-durations': ['duration_ms', 'duration_s'] } as const

/** Checks that what was logged and what was traced are of one piece. */
export function joinedChecks(context: ScenarioContext): Check[] {
  return Object.entries(context.config.services).flatMap(([name, { requests }]) =>
    unlessAbsent(
      whyUnjudged(context, name, 'logs', 'traces'),
      questions
        .filter(([question]) => question !== 'statuses' || requests.kind === 'http')
        .map(
          ([question, title]): Check => ({
            id: `joined.${question}.${name}`,
            title: `${name}: ${title}`,
            signal: 'joined',
            scenario: context.scenario.name,
            run: () => joined(context, name, question),
          }),
        ),
    ),
  )
}

async function joined(
  context: ScenarioContext,
  name: string,
  question: (typeof questions)[number][0],
): Promise<Outcome> {
  needFacts(context.config.services[name] ?? {}, ...needs[question])
  return called(context, async (rollCall) => {
    const [logged, traces] = await Promise.all([rollCall.logged(name), rollCall.traces()])
    const traced = await rollCall.traced(name)
    const { pairs, differences } = await differencesOf(context, rollCall.roll, logged, traced)
    const { count, texts } = differences[question]
    const allowed = question === 'span-durations' ? outliersOf(pairs) : 0
    const expected = {
      spans: 'the span id of a line is that of a span in its trace',
      statuses: 'equal',
      'span-durations': `equal within ${toleranceInWords}, but for ${outliersOf(pairs)} of ${pairs}`,
    }[question]
    return {
      finding: {
        actual: `${pairs} requests are both logged and traced; ${count} disagree`,
        problems: count > allowed ? texts : [],
        // Where a scenario never calls the service there is nothing to join.
        empty: pairs === 0 && logged.tally.sent[0] > 0 && traced.tally.sent[0] > 0,
      },
      asking: { expected },
      attempts: Math.max(logged.attempts, traces.passes),
      elapsedMs: Math.max(logged.elapsedMs, traces.elapsedMs),
    }
  })
}
