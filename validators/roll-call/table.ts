import type { Tally } from '../../lib/attendance.ts'
import type { Loss, RollCallRow, RollCallTable } from '../../lib/event.ts'
import { literal } from '../backends/prometheus.ts'
import type { ScenarioContext } from '../context.ts'
import { freshnessByService } from '../signals/freshness.ts'

/** How many losses of one service in one signal are named. */
const named = 3

/** The roll call as far as it was called: what no check asked for, or what could not be asked, is null. */
export async function rollCallTable(context: ScenarioContext): Promise<RollCallTable | undefined> {
  const { rollCall, ledger, config } = context
  if (!rollCall || !ledger) return undefined
  const freshness = await freshnessByService(context)
  const losses: Loss[] = []
  const rows: RollCallRow[] = []
  for (const service of Object.keys(config.services)) {
    const { counted, logged, traced } = await rollCall.answers(service)
    if (counted === undefined && !logged && !traced) continue
    const counts = ledger.expected(service).map(({ count }) => count)
    const tallies = [logged, traced].filter((tally) => tally !== undefined)
    rows.push({
      service,
      sent: [sum(counts.map(([least]) => least)), sum(counts.map(([, most]) => most))],
      counted: counted ?? null,
      logged: logged?.present ?? null,
      traced: traced?.present ?? null,
      missing: sum(tallies.map(({ missing }) => missing)),
      doubled: sum(tallies.map(({ doubled }) => doubled)),
      freshnessMs: freshness.get(service) ?? null,
    })
    for (const id of first(logged))
      losses.push({ service, signal: 'logs', id, command: lineCommand(context, service, id) })
    for (const id of first(traced))
      losses.push({ service, signal: 'traces', id, command: context.backends.traces.reproduce(id).reproduce })
  }
  return rows.length === 0 ? undefined : { scenario: context.scenario.name, rows, losses }
}

function first(tally: Tally | undefined): readonly string[] {
  return [...(tally?.missingIds ?? []), ...(tally?.doubledIds ?? [])].slice(0, named)
}

/** A command that looks for the lines of one request. */
function lineCommand({ backends, config, window }: ScenarioContext, service: string, id: string): string {
  const query = `${config.services[service]?.logs?.selector ?? '{}'} |= ${literal(id)}`
  const range = { start: `${Math.round(window.from)}000000`, end: `${Math.round(window.to + 60_000)}000000` }
  return backends.loki.client.curl('/loki/api/v1/query_range', { query, ...range })
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
