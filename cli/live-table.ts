import { type Column, table } from '../reports/table.ts'
import type { LiveRow } from '../validators/live/checks.ts'
import { inWords } from '../validators/live/findings.ts'

const columns: readonly Column[] = [
  { title: 'Service' },
  { title: 'Instance' },
  ...['Counted', 'Logged', 'Traced', 'Band', 'Missing', 'Doubled'].map((title) => ({ title, figures: true })),
]

/** Live traffic as a table, a row per service, below it one per instance if there are several; `room` in columns of the terminal. */
export function liveTable(rows: readonly LiveRow[], room: number): string[] {
  if (rows.length === 0) return []
  const cells = rows.flatMap((row) => {
    const [only, ...more] = row.instances
    if (only !== undefined && more.length === 0) return [cellsOf(row, only.name)]
    const each = row.instances.map(({ name, counted }) => ['', name, String(counted)])
    return [cellsOf(row, `${row.instances.length} instances`), ...each]
  })
  const atEdges = rows.some(({ logged, traced }) => logged.edge + traced.edge > 0)
  return [
    ...table(columns, cells, room - 2),
    ...(atEdges ? ['+n: so many more at the edges of the period, on either side'] : []),
  ].map((line) => `  ${line}`)
}

function cellsOf({ service, counted, logged, traced, band, missing, doubled }: LiveRow, instance: string): string[] {
  const [least, most] = band
  const some = (value: number) => (value === 0 ? '·' : String(value))
  return [
    service,
    instance,
    String(counted),
    inWords(logged),
    inWords(traced),
    least === most ? String(least) : `${least}-${most}`,
    some(missing),
    some(doubled),
  ]
}
