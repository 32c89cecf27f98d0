import { formatDuration } from '../lib/duration.ts'
import type { RollCallRow, RollCallTable } from '../lib/event.ts'
import type { Paint } from './paint.ts'
import { type Column, table } from './table.ts'
import { count } from './terminal-summary.ts'
import { oneLine, width, wrapCommand } from './text.ts'

/** Losses that are shown, of all scenarios together; the rest is in run.json. */
const shownLosses = 5

/** True if a request is missing or doubled. */
export function hasLosses({ rows }: RollCallTable): boolean {
  return rows.some(isLossy)
}

const columnsOf: readonly Column[] = [
  { title: 'Service' },
  ...['Sent', 'Counted', 'Logged', 'Traced', 'Missing', 'Doubled', 'Freshness'].map((title) => ({
    title,
    figures: true,
  })),
]

/**
 * The roll call of all scenarios as one table, a row per service; of several scenarios each has its name above its rows,
 * since 80 columns hold no further one. Then the first few losses, each with its command.
 */
export function rollCallLines(rollCalls: readonly RollCallTable[], columns: number, colors: Paint): string[] {
  const several = rollCalls.length > 1
  const rows = rollCalls.flatMap(({ scenario, rows: own }): (RollCallRow | string)[] =>
    several ? [oneLine(scenario), ...own] : [...own],
  )
  if (rows.length === 0) return []
  const tableOf = (write: (value: number) => string) => {
    const cells = rows.map((row) => (typeof row === 'string' ? [row] : cellsOf(row, several ? '  ' : '', write)))
    return table(columnsOf, cells, columns - 2)
  }
  const comfortable = tableOf(count)
  // Millions fit without their commas.
  const [title = '', ...lines] = comfortable.some((line) => width(line) > columns - 2) ? tableOf(String) : comfortable
  const isOpen = rows.some((row) => typeof row !== 'string' && row.sent[0] < row.sent[1])
  return [
    `  ${colors.dim(title)}`,
    ...lines.map((line, n) => {
      const row = rows[n]
      return `  ${typeof row === 'object' && isLossy(row) ? colors.red(line) : line}`
    }),
    ...(isOpen ? [`  ${colors.dim('+n: up to so many more, which were cut off or never answered')}`] : []),
    '',
    ...lossLines(rollCalls, columns, colors),
  ]
}

function isLossy({ missing, doubled }: RollCallRow): boolean {
  return missing > 0 || doubled > 0
}

function cellsOf(row: RollCallRow, indent: string, write: (value: number) => string): string[] {
  const { service, sent, counted, logged, traced, missing, doubled, freshnessMs } = row
  const [least, most] = sent
  const known = (value: number | null) => (value === null ? '?' : write(value))
  // A point for none: what is there stands out.
  const some = (value: number) => (value === 0 ? '·' : write(value))
  return [
    indent + oneLine(service),
    write(least) + (most > least ? `+${write(most - least)}` : ''),
    known(counted),
    known(logged),
    known(traced),
    some(missing),
    some(doubled),
    freshnessMs === null ? '?' : Number.isFinite(freshnessMs) ? formatDuration(freshnessMs) : 'never',
  ]
}

function lossLines(rollCalls: readonly RollCallTable[], columns: number, colors: Paint): string[] {
  const losses = rollCalls.flatMap((one) => one.losses)
  if (losses.length === 0) return []
  const lines = losses
    .slice(0, shownLosses)
    .flatMap(({ service, signal, id, command }) => [
      `  ${oneLine(id)}  ${oneLine(`${service}, ${signal}`)}`,
      ...wrapCommand(oneLine(command), columns - 4).map((line) => `    ${colors.dim(line)}`),
    ])
  const rest = losses.length - shownLosses
  return [colors.bold('Losses'), ...lines, ...(rest > 0 ? [`  … and ${rest} more in run.json`] : []), '']
}
