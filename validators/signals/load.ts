import type { Ledger, Part } from '../../lib/ledger.ts'
import { threwPrefix } from '../../lib/summary.ts'
import { judgeThreshold, parseThresholds } from '../../lib/threshold.ts'
import { type Check, type Finding, judged, type Outcome } from '../check.ts'
import type { ScenarioContext } from '../context.ts'
import { missingLedger } from './expected.ts'

/** Checks on what k6 itself did and saw; they need no backend. */
export function loadChecks(context: ScenarioContext): Check[] {
  const { scenario, summary, config, load, ledger } = context
  const about = (id: string, title: string, run: () => Outcome): Check => ({
    id: `load.${id}`,
    title,
    signal: 'load',
    scenario: scenario.name,
    run: async () => run(),
  })
  const books = (id: string, title: string, expected: string, examine: (ledger: Ledger) => Finding): Check =>
    about(id, title, () =>
      ledger
        ? judged(examine(ledger), { expected, window: context.window, query: 'k6 summary' })
        : missingLedger(context),
    )
  return [
    about('k6', 'k6 ended as it should', () => k6Ended(context)),
    books('iterations', 'every journey had iterations', 'iterations > 0 of every journey', ({ journeys }) => ({
      actual: journeys.map(({ journey, completed }) => `${journey} ${completed}`).join(', '),
      problems: journeys
        .filter(({ completed }) => completed === 0)
        .map(({ journey }) => `${journey} completed no iteration`),
      empty: journeys.every(({ begun }) => begun === 0),
    })),
    books('requests', 'every journey sent requests', 'requests > 0 of every journey', ({ journeys, steps }) => {
      const sent = journeys.map(({ journey, begun }) => ({
        journey,
        // Before its first iteration it had no occasion.
        hint: begun === 0 ? '' : ': does its script call its steps?',
        count: steps
          .filter((step) => step.part === 'load' && step.journey === journey)
          .reduce((sum, { attempted }) => sum + attempted[0], 0),
      }))
      return {
        actual: sent.map(({ journey, count }) => `${journey} ${count}`).join(', '),
        problems: sent.filter(({ count }) => count === 0).map(({ journey, hint }) => `${journey} sent nothing${hint}`),
        empty: sent.every(({ count }) => count === 0),
      }
    }),
    books('scripts', 'no iteration threw', 'no iteration threw', ({ journeys, oddLines }) => {
      const threw = oddLines.filter(({ why }) => why.startsWith(threwPrefix))
      const begun = journeys.reduce((sum, one) => sum + one.begun, 0)
      return {
        actual: `${threw.length} of ${begun} iterations threw, ${oddLines.length - threw.length} left the declared order`,
        problems: threw.map(({ journey, iteration, why }) => `${journey}, iteration ${iteration} ${why}`),
      }
    }),
    books('uninterrupted', 'no iteration was cut off', 'no interrupted iteration', ({ journeys }) => {
      const cut = journeys.filter(({ interrupted }) => interrupted > 0)
      return {
        actual: `${cut.reduce((sum, { interrupted }) => sum + interrupted, 0)} interrupted`,
        problems: cut.map(({ journey, interrupted }) => `${interrupted} iterations of ${journey} were cut off`),
      }
    }),
    books(
      'dropped',
      'the load generator kept up',
      `at most ${config.maxDropped} dropped iterations`,
      ({ journeys }) => {
        const dropped = journeys.reduce((sum, one) => sum + one.dropped, 0)
        return {
          actual: `${dropped} dropped`,
          problems:
            dropped > config.maxDropped
              ? [`k6 dropped ${dropped} iterations for want of virtual users: the load was not the one declared`]
              : [],
        }
      },
    ),
    books('statuses', 'every answer had its declared status', 'only declared statuses', ({ steps }) => {
      const strange = steps.flatMap(({ journey, step, part, declared, unexpected }) =>
        unexpected.map(
          ({ status, errorCode, count }) =>
            `${journey}/${step}${part === 'load' || part === 'sentinel' ? '' : ` (${part})`}: ${count} × ${status === 0 ? noAnswer(part, errorCode) : status} instead of ${declared.status}${status === 0 ? '' : ': the step, target.url or the service is wrong'}`,
        ),
      )
      // A sentinel's answers say nothing of k6's.
      const own = steps.filter(({ part }) => part !== 'sentinel')
      const answers = own.reduce((sum, { answered }) => sum + answered, 0)
      return {
        actual: `${answers} answers, ${strange.length} kinds of unexpected ones`,
        problems: strange,
        empty: answers === 0,
      }
    }),
    books(
      'books',
      'the count of what was sent adds up',
      'requests = steps × iterations, remainder 0',
      ({ remainder, problems, requests }) => ({
        actual: `${requests[0]} requests, remainder ${remainder}`,
        problems,
        empty: requests[1] === 0,
      }),
    ),
    ...parseThresholds(context.thresholds).thresholds.map((threshold) =>
      about(
        `threshold.${threshold.key}.${threshold.aggregation}`,
        `${threshold.key} keeps ${threshold.expression}`,
        () => {
          if (!summary) return missingLedger(context)
          const { verdict, actual } = judgeThreshold(threshold, summary.metrics)
          const text = actual === undefined ? 'no samples' : String(+actual.toFixed(3))
          const problems =
            verdict === 'passed'
              ? []
              : [`${threshold.aggregation} of ${threshold.key} is ${text}, not ${threshold.expression}`]
          return judged(
            { actual: text, problems, empty: verdict === 'no-data' },
            { expected: threshold.expression, window: context.window, query: threshold.key },
          )
        },
      ),
    ),
  ]

  function k6Ended({ window }: ScenarioContext): Outcome {
    const regular = load.exitCode === 0 || load.exitCode === 99
    const evidence = {
      expected: 'exit code 0 or 99 (thresholds)',
      actual: load.exitMeaning,
      window,
      attempts: 1,
      elapsedMs: window.to - window.from,
      ...(regular || load.words.length === 0 ? {} : { details: load.words.slice(-10) }),
    }
    return regular ? { verdict: 'passed', evidence } : { verdict: 'errored', reason: load.exitMeaning, evidence }
  }
}

/** k6 has a code for what went wrong; the sentinel has none. */
function noAnswer(part: Part, errorCode: number): string {
  return part === 'sentinel' ? 'no answer' : `no answer (k6 error ${errorCode})`
}
