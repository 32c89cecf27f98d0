import { clean } from '../text.ts'

/** Text that is HTML already; made by `html` alone, so that nothing from outside gets in unescaped. */
export class Markup {
  readonly #text: string
  private constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }

  static of(strings: readonly string[], values: readonly Content[]): Markup {
    return new Markup(strings.map((text, n) => (n === 0 ? text : written(values[n - 1]) + text)).join(''))
  }
}

/** What may stand in a template: text is escaped, nothing is left out. */
export type Content = Markup | string | number | null | undefined | false | readonly Content[]

/** HTML of a template. Whatever is filled in is escaped, for elements and quoted attributes, unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return Markup.of(strings, values)
}

function written(content: Content): string {
  if (content === null || content === undefined || content === false) return ''
  if (content instanceof Markup) return content.toString()
  return typeof content === 'object' ? content.map(written).join('') : escaped(String(content))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return clean(text).replace(/[&<>"']/g, (character) => entities[character] ?? '')
}

/** JSON for a script element: no text in it can end the element or open a comment. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
}

/** A link, where the address is one of the web; else the text alone, for an address may hold a script. */
export function link(address: string, text: string): Markup {
  const url = URL.canParse(address) ? new URL(address) : undefined
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:'
  return isWeb ? html`<a href="${url.href}" rel="noreferrer">${text}</a>` : html`${text}`
}
