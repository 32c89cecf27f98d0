import { formatDuration } from '../lib/duration.ts'
import type { Plan } from '../lib/event.ts'
import type { Paint } from './paint.ts'
import { table } from './table.ts'
import { oneLine, padEnd, wrap } from './text.ts'

const indent = 2
const labelWidth = 11

/** What is going to happen, shown before it does. */
export function planLines(plan: Plan, at: number, columns: number, colors: Paint, timeZone?: string): string[] {
  const room = columns - indent - labelWidth
  const section = (label: string, lines: readonly string[]): string[] =>
    lines.map((line, n) => `${' '.repeat(indent)}${colors.dim(padEnd(n === 0 ? label : '', labelWidth))}${line}`)
  const prose = (label: string, items: readonly string[]) =>
    section(
      label,
      items.flatMap((item) => hang(wrap(oneLine(item), room - 2))),
    )
  const backends = Object.entries(plan.backends)
  const nameWidth = Math.max(0, ...backends.map(([name]) => name.length))
  return [
    `${colors.bold('muster')} ${colors.dim(oneLine(plan.runId))}`,
    '',
    ...section('Target', [oneLine(plan.target)]),
    ...section('Scenarios', scenarioRows(plan, room, colors)),
    ...section(
      'Backends',
      backends.map(([name, url]) => `${padEnd(oneLine(name), nameWidth)}  ${oneLine(url)}`),
    ),
    ...prose('Deadlines', plan.deadlines),
    ...prose('Faults', plan.faults),
    ...section('Estimate', [`${formatDuration(plan.estimatedMs)}, until ${clock(at + plan.estimatedMs, timeZone)}`]),
    '',
  ]
}

/** Continuation lines are set in, so that each item's beginning stands out. */
function hang([first = '', ...rest]: string[]): string[] {
  return [first, ...rest.map((line) => `  ${line}`)]
}

function scenarioRows(plan: Plan, room: number, colors: Paint): string[] {
  const rows = plan.scenarios.map(({ name, profile, journeys, peakRate, durationMs }) => [
    oneLine(name),
    oneLine(profile),
    journeys.map(oneLine).join(', '),
    `${Math.round(peakRate * 100) / 100}/s`,
    formatDuration(durationMs),
  ])
  const columns = [
    { title: 'name' },
    { title: 'profile' },
    { title: 'journeys' },
    { title: 'peak', figures: true },
    { title: 'lasts', figures: true },
  ]
  const [title = '', ...lines] = table(columns, rows, room)
  return [colors.dim(title), ...lines]
}

function clock(time: number, timeZone?: string): string {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeStyle: 'medium',
    ...(timeZone === undefined ? {} : { timeZone }),
  })
  return format.format(time)
}
