import { literal } from '../backends/prometheus.ts'
import { concluded, type Outcome } from '../check.ts'
import type { Service } from '../config.ts'
import type { ScenarioContext } from '../context.ts'
import { expectedOf, missingLedger } from './expected.ts'
import type { Instance, Scrapes } from './scrapes.ts'

/**
 * States that a process may meet for the first time under load, and labels its own metrics with: kinds of garbage
 * collection, of open handles, of errors.
 */
const lateStates = 10

/**
 * Does the number of series not grow with the number of requests? Per metric and instance, new series may be at most as
 * many as the steps have combinations of method, route and status, and a constant. Buckets are left out, since a histogram's
 * `_count` has as many label sets, and so is what rules record (by its colon), which comes and goes with what it is made of.
 */
export async function cardinality(
  context: ScenarioContext,
  scrapes: Scrapes,
  name: string,
  service: Service,
): Promise<Outcome> {
  const { ledger, backends, window } = context
  if (!ledger) return missingLedger(context)
  const { rows, unsure } = expectedOf(ledger, name, service)
  const allowed = rows.size + unsure.size + lateStates
  const query = `count by (__name__, instance) ({job=${literal(scrapes.job)},__name__!~".+_bucket|.*:.*"})`
  const polled = await scrapes.look(async (instances, attempt) => {
    const after = await backends.prometheus.instantAt(query, scrapes.now, attempt)
    const before = new Map<string, number>()
    for (const at of new Set([...instances.values()].map((one) => baseline(one)))) {
      for (const { labels, value } of await backends.prometheus.instantAt(query, at, attempt)) {
        const instance = instances.get(labels.instance ?? '')
        if (instance && baseline(instance) === at) before.set(`${labels.instance} ${labels.__name__}`, value)
      }
    }
    const grown = after
      .map(({ labels, value }) => {
        const was = before.get(`${labels.instance} ${labels.__name__}`) ?? 0
        return { metric: labels.__name__ ?? '', was, is: value }
      })
      .sort((a, b) => b.is - b.was - (a.is - a.was))
    const total = (of: 'was' | 'is') => grown.reduce((sum, one) => sum + one[of], 0)
    const problems = grown
      .filter(({ was, is }) => is - was > allowed)
      .map(
        ({ metric, was, is }) =>
          `${metric} went from ${was} to ${is} series: a label holds what differs from request to request (a raw path, an id?)`,
      )
    return {
      actual: `${total('was')} series before, ${total('is')} after`,
      problems,
      empty: after.length === 0,
      hopeless: problems.length > 0,
    }
  })
  const time = (scrapes.until / 1000).toFixed(3)
  return concluded(polled, {
    expected: `at most ${allowed} new series per metric: ${rows.size + unsure.size} label sets that the steps declare, ${lateStates} more for states met late`,
    window,
    query,
    reproduce: backends.prometheus.client.curl('/api/v1/query', { query, time }),
  })
}

/** When an instance's series are counted first: at the window's beginning, or at its first scrape if it came later. */
function baseline({ from, scrapes }: Instance): number {
  const [first = from] = scrapes
  return first <= from ? from : first
}
