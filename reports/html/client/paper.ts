/** Failures that are folded up are printed all the same; the figures and the checks that passed are not. */
export function openForPaper(): void {
  const folded = () =>
    document.querySelectorAll<HTMLDetailsElement>('details.others:not([open]), details.deadlines:not([open])')
  let opened: readonly HTMLDetailsElement[] = []
  addEventListener('beforeprint', () => {
    opened = [...folded()]
    for (const details of opened) details.open = true
  })
  addEventListener('afterprint', () => {
    for (const details of opened) details.open = false
  })
}
