import { textOf } from './rows.ts'

const names = ['q', 'verdict', 'signal', 'scenario'] as const

/** Makes the list's search and filters work, and keeps them in the address, `#verdict=red&q=todos`, so that it can be shared. */
export function keepFilters(): void {
  const form = document.querySelector<HTMLFormElement>('#filters')
  const shown = document.querySelector<HTMLOutputElement>('#shown')
  if (form === null || shown === null) return
  const rows = [...document.querySelectorAll<HTMLLIElement>('#check-list > li')]
  // Read when first searched: thousands of rows would hold the page up.
  let texts: readonly string[] | undefined
  form.hidden = false

  const apply = () => {
    const wanted = new FormData(form)
    const value = (name: (typeof names)[number]) => String(wanted.get(name) ?? '')
    const words = value('q').toLowerCase().split(/\s+/).filter(Boolean)
    if (words.length > 0) texts ??= rows.map(textOf)
    const isWanted = ({ dataset }: HTMLLIElement, text: string) =>
      (value('verdict') === '' || verdictFits(value('verdict'), dataset.verdict ?? '')) &&
      (value('signal') === '' || dataset.signal === value('signal')) &&
      (value('scenario') === '' || dataset.scenario === value('scenario')) &&
      words.every((word) => text.includes(word))
    let count = 0
    for (const [index, row] of rows.entries()) {
      row.hidden = !isWanted(row, texts?.[index] ?? '')
      if (!row.hidden) count += 1
    }
    shown.value = count === rows.length ? `all ${rows.length}` : `${count} of ${rows.length}`
  }

  const fromAddress = () => {
    if (location.hash !== '' && !location.hash.includes('=')) {
      reveal(location.hash)
      return
    }
    const kept = new URLSearchParams(location.hash.slice(1))
    for (const name of names) {
      const field = form.elements.namedItem(name)
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = kept.get(name) ?? ''
    }
    apply()
  }

  form.addEventListener('input', () => {
    apply()
    const kept = new URLSearchParams()
    for (const [name, value] of new FormData(form)) if (value !== '') kept.set(name, String(value))
    history.replaceState(null, '', kept.size === 0 ? location.href.split('#')[0] : `#${kept}`)
  })
  form.addEventListener('submit', (event) => event.preventDefault())
  addEventListener('hashchange', fromAddress)
  if (location.hash !== '') fromAddress()
  shown.value ||= `all ${rows.length}`
}

const redWords = ['failed', 'no-data', 'errored']

function verdictFits(wanted: string, verdict: string): boolean {
  return wanted === 'red' ? redWords.includes(verdict) : verdict === wanted
}

/** What a link points at is opened. */
function reveal(hash: string): void {
  const target = document.getElementById(decodeURIComponent(hash.slice(1)))
  const details = target?.closest('details')
  if (details) details.open = true
}
