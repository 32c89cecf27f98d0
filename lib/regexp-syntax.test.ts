import { describe, expect, test } from 'vitest'
import { parseRegexp, RegexpSyntaxError } from './regexp-syntax.ts'
import { contains, samples, shortest } from './regular-language.ts'

const takes = (source: string, text: string) => contains(parseRegexp(source), text)

describe('a regular expression', () => {
  test.each([
    ['', ['']],
    ['foo|bar', ['foo', 'bar']],
    ['^(foo1|foo2|baz)$', ['foo1', 'baz']],
    ['5..', ['500', '5xx']],
    ['a{2,3}', ['aa', 'aaa']],
    ['a{,3}', ['a{,3}']],
    ['[]a]+', [']a]']],
    ['[^a-c]', ['d', '\n', 'é', '🚦']],
    ['(?i)Crit-é', ['CRIT-É', 'crit-é']],
    ['(?i:a)b', ['Ab']],
    ['(?i)k', ['k', 'K', '\u212a']],
    ['(?s).', ['\n']],
    ['(?m)a$\n^b', ['a\nb']],
    ['(?P<name>a)(?<other>b)', ['ab']],
    ['\\Qa.b*\\E', ['a.b*']],
    ['\\d+\\s\\w\\D\\S\\W', ['12 _xy ']],
    ['[[:alpha:]]+[[:^digit:]]', ['abc-']],
    ['\\p{Greek}\\p{Lu}\\pN', ['αÄ7']],
    ['\\x41\\x{1F6A6}\\101', ['A🚦A']],
    ['.*\\bdown\\b.*', ['is down now', 'down']],
    ['(a*)*b??', ['', 'aaab']],
    ['\\$\\.\\-', ['$.-']],
    ['.', ['\r', '\u2028']],
  ])('%s takes what Go lets it take', (source, texts) => {
    for (const text of texts) expect([source, text, takes(source, text)]).toEqual([source, text, true])
  })

  test.each([
    ['foo|bar', ['foobar', 'fo', '']],
    ['.', ['\n', '']],
    ['(?i)i', ['ı', 'İ']],
    ['a$b', ['a', 'ab']],
    ['.*\\bdown\\b.*', ['downward']],
    ['\\d', ['٣']],
    ['(?i:a)b', ['aB']],
    ['(?-i)A', ['a']],
  ])('%s refuses what Go lets it refuse', (source, texts) => {
    for (const text of texts) expect([source, text, takes(source, text)]).toEqual([source, text, false])
  })

  test.each([
    '(',
    'a)',
    '[a',
    '*a',
    'a**',
    'a{1001}',
    'a{3,2}',
    '\\1',
    '\\Z',
    '(?=a)',
    '(?<!a)',
    '[b-a]',
    '\\p{Nope}',
    'a\\',
  ])('%s is refused, as Go does not compile it', (source) => {
    expect(() => parseRegexp(source)).toThrow(RegexpSyntaxError)
  })
})

describe('a search among languages', () => {
  const wanted = (...sources: readonly string[]) =>
    shortest(
      sources.map((source) => ({
        language: parseRegexp(source.replace(/^!/, '')),
        negated: source.startsWith('!'),
      })),
    )

  test('finds the shortest text that all demands take', () => {
    expect(wanted('[a-z]+-[0-9]{2}', '.*7', '!a.*')).toEqual({ text: 'b-07' })
    expect(wanted('!', '!a')).toEqual({ text: 'b' })
  })

  test('proves that there is none', () => {
    expect(wanted('foo|bar', '!ba.|fo+')).toBe('none')
    expect(wanted('.+', '!(?s).*')).toBe('none')
    expect(wanted('\\w+', '!(?i)[a-z0-9_\u017f\u212a]*')).toBe('none')
  })

  test('gives up on what is too large to decide, and says so', () => {
    expect(wanted('(a|b)*a(a|b){16}', '!(a|b)*a(a|b){16}')).toBe('undecided')
  })

  test('lists the alternatives of a language', () => {
    expect(samples(parseRegexp('^(web|mobile)(-[12])?$'), 20).texts.toSorted()).toEqual([
      'mobile',
      'mobile-1',
      'mobile-2',
      'web',
      'web-1',
      'web-2',
    ])
    expect(samples(parseRegexp('a|b.+'), 20)).toEqual({ texts: expect.arrayContaining(['a', 'ba']), complete: false })
  })
})
