/** Fills a row of the list of checks when it is opened. */
export function fillOpenedRows(each: (row: Element) => void): void {
  const fill = ({ target }: Event) => {
    if (!(target instanceof HTMLDetailsElement) || !target.open) return
    const waiting = target.querySelector(':scope > noscript')
    if (waiting === null) return
    // It is HTML of the same page, in which all from outside was escaped.
    waiting.outerHTML = waiting.textContent ?? ''
    each(target)
  }
  // The event does not bubble.
  document.addEventListener('toggle', fill, true)
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/** What a row says, opened or not, for the search: in small letters. */
export function textOf(row: Element): string {
  const waiting = row.querySelector('noscript')?.textContent ?? ''
  const text = waiting
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(\w+|#39);/g, (whole, name: string) => entities[name] ?? whole)
  return `${waiting === '' ? row.textContent : `${row.querySelector('summary')?.textContent} ${text}`}`.toLowerCase()
}
