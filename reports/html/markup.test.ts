import { expect, it } from 'vitest'
import { html, link, scriptJson } from './markup.ts'

it('escapes whatever is filled in, in elements and in attributes', () => {
  const bad = `"><script>alert('1')</script>&`
  expect(String(html`<p title="${bad}">${bad}</p>`)).toBe(
    '<p title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;">&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;</p>',
  )
})

it('takes markup as it is, lists one after the other, and nothing for what is not there', () => {
  expect(String(html`<ul>${[1, 'a&b'].map((one) => html`<li>${one}</li>`)}${null}${undefined}${false}${0}</ul>`)).toBe(
    '<ul><li>1</li><li>a&amp;b</li>0</ul>',
  )
})

it('takes out what would reorder or hide text', () => {
  expect(String(html`${'a\u202eb\u0000c\u001b[31md'}`)).toBe('abcd')
})

it('links to the web alone', () => {
  expect(String(link('https://a.example/?b=1&c="', 'x'))).toBe(
    '<a href="https://a.example/?b=1&amp;c=%22" rel="noreferrer">x</a>',
  )
  for (const address of ['javascript:alert(1)', 'data:text/html,x', ' jAvascript:alert(1)', 'nowhere', ''])
    expect(String(link(address, '<x>'))).toBe('&lt;x&gt;')
})

it('writes JSON that cannot end its script', () => {
  const text = scriptJson({ a: '</script><!--\u2028' })
  expect(text).not.toMatch(/[<\u2028]/)
  expect(JSON.parse(text)).toEqual({ a: '</script><!--\u2028' })
})
