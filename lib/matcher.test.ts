import { describe, expect, test } from 'vitest'
import { formatMatcher, MatcherSyntaxError, matcher, matches, parseMatchers } from './matcher.ts'

const read = (line: string) => parseMatchers(line).map(({ name, operator, value }) => [name, operator, value])

describe('a line of matchers', () => {
  test.each([
    ['severity=critical', [['severity', '=', 'critical']]],
    [' severity =~ "warning|critical" ', [['severity', '=~', 'warning|critical']]],
    [
      '{a="b", c!="d",}',
      [
        ['a', '=', 'b'],
        ['c', '!=', 'd'],
      ],
    ],
    ['a!~"x,y"', [['a', '!~', 'x,y']]],
    ['"service.name"="shop"', [['service.name', '=', 'shop']]],
    ['місто="Київ"', [['місто', '=', 'Київ']]],
    ['a="say \\"hi\\"\\n"', [['a', '=', 'say "hi"\n']]],
    ['"a b"="\\u00e9\\xc3\\xa9"', [['a b', '=', 'éé']]],
    ['a=""', [['a', '=', '']]],
    ['', []],
    ['{}', []],
  ])('%s is read', (line, expected) => {
    expect(read(line)).toEqual(expected)
  })

  test('that only the classic notation takes is read by it', () => {
    expect(read('a=')).toEqual([['a', '=', '']])
    expect(read('url=http://x/?a=b')).toEqual([['url', '=', 'http://x/?a=b']])
    expect(read('a="\\d+"')).toEqual([['a', '=', '\\d+']])
  })

  test('in the classic notation loses a closing brace, as in Alertmanager', () => {
    expect(read('code=~5..|4[0-9]{2}')).toEqual([['code', '=~', '5..|4[0-9]{2']])
  })

  test.each(['severity', '=critical', 'a=~"("', '"a b"=c d', '{"a b"="c"', 'a="b', '1a=b="c'])(
    '%s is refused',
    (line) => {
      expect(() => parseMatchers(line)).toThrow(MatcherSyntaxError)
    },
  )
})

describe('matchers', () => {
  test('take an absent label for an empty one', () => {
    expect(matches([matcher('team', '=', '')], {})).toBe(true)
    expect(matches([matcher('team', '!=', 'web')], {})).toBe(true)
    expect(matches([matcher('team', '=~', '.+')], {})).toBe(false)
    expect(matches([matcher('toString', '=', '')], {})).toBe(true)
  })

  test('anchor their regular expressions', () => {
    expect(matches([matcher('team', '=~', 'web')], { team: 'webshop' })).toBe(false)
    expect(matches([matcher('team', '!~', 'web')], { team: 'webshop' })).toBe(true)
  })

  test('are printed as Alertmanager prints them', () => {
    expect(formatMatcher(matcher('a', '=~', 'x\\d"\n'))).toBe('a=~"x\\\\d\\"\\n"')
    expect(formatMatcher(matcher('a b', '=', 'c'))).toBe('"a b"="c"')
  })
})
