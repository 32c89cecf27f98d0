import { clean, oneLine } from './text.ts'

/** Outside text as a line of Markdown that shows it as it is. */
export function markdownText(text: string): string {
  return htmlText(text).replace(/[\\`*_{}[\]#|~@$:]/g, '\\$&')
}

/** Outside text as a line of HTML within Markdown. */
export function htmlText(text: string): string {
  return oneLine(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Outside text as a block of code: the fence is longer than any in the text. */
export function codeBlock(text: string): string {
  const longest = Math.max(2, ...[...clean(text).matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}text\n${clean(text)}\n${fence}`
}

/** A table; cells are Markdown already. `:` columns are to the right. */
export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  figuresFrom = 1,
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = titles.map((_, n) => (n < figuresFrom ? '---' : '---:'))
  return [line(titles), line(rule), ...rows.map(line)].join('\n')
}
