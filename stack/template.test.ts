// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what is tested
import { expect, test } from 'vitest'
import { render } from './template.ts'

test('names are filled in, everything else stays', () => {
  const text = 'port: ${PORT} {{ $labels.job }} $1 ${lower} $$'
  expect(render(text, { PORT: 80 })).toBe('port: 80 {{ $labels.job }} $1 ${lower} $$')
})

test('a value is not taken for a template or a pattern', () => {
  expect(render('${A}', { A: '${B} $& $1' })).toBe('${B} $& $1')
})

test('an unknown name is an error that says which and where', () => {
  expect(() => render('${PROT}', { PORT: 80 }, 'loki.yml')).toThrow('loki.yml: nothing is known by the name ${PROT}')
  expect(() => render('${CONSTRUCTOR}', {})).toThrow()
})
