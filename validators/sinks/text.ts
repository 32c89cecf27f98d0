import type { Notification } from './notification.ts'

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/** `&amp;`, `&#43;`, `&#x2b;` and the like as the characters that they stand for. */
export function unescaped(text: string): string {
  return text.replaceAll(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi,
    (whole, decimal, hex, name) => {
      if (name) return entities[String(name).toLowerCase()] ?? whole
      const code = decimal ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16)
      return code <= 0x10_ffff ? String.fromCodePoint(code) : whole
    },
  )
}

/** What a reader of HTML sees, with the address of each link before its text; not a sanitizer. */
export function htmlText(html: string): string {
  const visible = html
    .replaceAll(/<!--[\s\S]*?-->|<![^>]*>|<(style|script|head)\b[\s\S]*?<\/\1\s*>/gi, ' ')
    .replaceAll(
      /<a\b[^>]*?\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>/gi,
      (_, double, single) => ` ${double ?? single} `,
    )
    .replaceAll(/<(?:br|\/p|\/div|\/tr|\/li|\/h\d|\/table)\b[^>]*>/gi, '\n')
    .replaceAll(/<\/?[a-z][^>]*>/gi, ' ')
  return lines(unescaped(visible))
}

/** The texts one below the other, without empty lines and needless blanks. */
export function lines(...texts: readonly (string | undefined)[]): string {
  return texts
    .flatMap((text) => (text ?? '').split('\n'))
    .map((line) => line.replaceAll(/[\t\r ]+/g, ' ').trim())
    .filter((line) => line !== '')
    .join('\n')
}

/**
 * Status by the convention of Alertmanager's own templates: `[FIRING:2]` or `[RESOLVED]` begins a title, or the list
 * below `Alerts Firing:`; undefined if the text follows neither.
 */
export function statusOfText(...texts: readonly (string | undefined)[]): Notification['status'] {
  for (const text of texts) {
    const title = /^\s*\[(FIRING|RESOLVED)(?::\d+)?\]/i.exec(text ?? '')?.[1]
    if (title) return title.toUpperCase() === 'FIRING' ? 'firing' : 'resolved'
  }
  const whole = texts.join('\n')
  if (/^\s*Alerts Firing:/im.test(whole)) return 'firing'
  return /^\s*Alerts Resolved:/im.test(whole) ? 'resolved' : undefined
}
