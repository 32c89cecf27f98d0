import { describe, expect, it } from 'vitest'
import { htmlText, statusOfText } from './text.ts'

describe('text', () => {
  it('of HTML is what is seen, with links', () => {
    const html =
      '<!doctype html><html><head><title>t</title></head><style>p{}</style><p>a &gt; b&#43;c</p><a class="x" href="https://r?a=1&amp;b=2">Run&nbsp;book</a><br>1 < 2</html>'
    expect(htmlText(html)).toBe('a > b+c\nhttps://r?a=1&b=2 Run book\n1 < 2')
  })

  it.each([
    ['[FIRING:2] Down', 'firing'],
    ['[RESOLVED] Down', 'resolved'],
    ['Down [RESOLVED]', undefined],
    ['Alerts Firing:\n - a\nAlerts Resolved:\n - b', 'firing'],
    ['x\nAlerts Resolved:\n - b', 'resolved'],
  ])('%j says %s', (text, status) => {
    expect(statusOfText(text)).toBe(status)
  })
})
