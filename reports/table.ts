import { padEnd, padStart, truncate, width } from './text.ts'

/** A column of text is to the left and gives way where room is short; one of figures is to the right and stays whole. */
export interface Column {
  readonly title: string
  readonly figures?: boolean
}

/** Lines of a table, its title line first; two blanks between columns. Cells are uncoloured and of one line. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], room: number): string[] {
  const widths = columns.map(({ title }, n) => Math.max(width(title), ...rows.map((row) => width(row[n] ?? ''))))
  narrow(columns, widths, room)
  const line = (cells: readonly string[]) =>
    columns
      .map(({ figures }, n) => {
        const columnWidth = widths[n] ?? 0
        const cell = truncate(cells[n] ?? '', columnWidth)
        return figures ? padStart(cell, columnWidth) : padEnd(cell, columnWidth)
      })
      .join('  ')
      .trimEnd()
  return [line(columns.map(({ title }) => title)), ...rows.map(line)]
}

/** Takes the missing room from the widest text column, one column of the terminal at a time. */
function narrow(columns: readonly Column[], widths: number[], room: number): void {
  const total = () => widths.reduce((sum, columnWidth) => sum + columnWidth, 2 * (widths.length - 1))
  while (total() > room) {
    const candidates = widths.map((columnWidth, n) => (columns[n]?.figures ? 0 : columnWidth))
    const widest = candidates.indexOf(Math.max(...candidates))
    const columnWidth = widths[widest] ?? 0
    if (columns[widest]?.figures || columnWidth <= 6) return
    widths[widest] = columnWidth - 1
  }
}
