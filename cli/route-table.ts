import type { Labels } from '../lib/matcher.ts'
import { formatMatcher } from '../lib/matcher.ts'
import type { Route } from '../lib/route-tree.ts'
import { type Column, table } from '../reports/table.ts'
import { oneLine } from '../reports/text.ts'
import { inWords, receiversInWords } from '../validators/routes/route-check.ts'

/** One label set that was sent for a route, or a route for which there is none. */
export interface RouteRow {
  readonly route: Route
  readonly depth: number
  /** Absent: no alert can be told by this route. */
  readonly probe?: Labels
  readonly expected: readonly string[]
  readonly reached: readonly string[]
  readonly verdict: 'as expected' | 'differs' | 'unreachable' | 'not decided' | 'never answers'
}

const columns: readonly Column[] = [
  { title: 'Line', figures: true },
  { title: 'Route' },
  { title: 'Sent' },
  { title: 'Told' },
  { title: '' },
]

/** The routing tree as a table, a row for each label set that was sent; `room` in columns of the terminal. */
export function routeTable(rows: readonly RouteRow[], room: number): string[] {
  let last: Route | undefined
  const cells = rows.map(({ route, depth, probe, expected, reached, verdict }) => {
    const again = route === last
    last = route
    const told =
      verdict === 'differs'
        ? `${receiversInWords(reached)}, not ${receiversInWords(expected)}`
        : receiversInWords(reached)
    return [
      again ? '' : String(route.line),
      again ? '' : `${'  '.repeat(depth)}${matchersInWords(route)}`,
      probe === undefined ? '' : oneLine(sentInWords(probe)),
      probe === undefined ? '' : oneLine(told),
      verdict === 'as expected' ? '✓' : verdict,
    ]
  })
  return table(columns, cells, room)
}

function matchersInWords({ matchers, continue: continues }: Route): string {
  const own = matchers.length === 0 ? 'any' : matchers.map(formatMatcher).join(' ')
  return oneLine(`${own}${continues ? ' (continue)' : ''}`)
}

function sentInWords(labels: Labels): string {
  const { alertname, ...others } = labels
  return inWords(alertname === 'MusterProbe' && Object.keys(others).length > 0 ? others : labels)
}
