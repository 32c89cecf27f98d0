import { expect, test } from 'vitest'
import { isBranch, readTree, textAt, writeTree } from './yaml-tree.ts'

test('a scalar is handed on as it was written', () => {
  const text = 'a: 007\nb: on\nc: "true"\nd: 0x1F\ne:\nf: 5m\ng: "x: {y}"\nh: !!str 12\n'
  expect(writeTree(readTree(text, 'f.yml'))).toBe(
    '{"a": 007,\n"b": on,\n"c": "true",\n"d": 0x1F,\n"e": null,\n"f": 5m,\n"g": "x: {y}",\n"h": "12"}',
  )
})

test('a plain text with a meaning in flow style is quoted', () => {
  expect(writeTree(readTree('a: {{ nope\n'.replace('{{ nope', 'b, [c]'), 'f.yml'))).toBe('{"a": "b, [c]"}')
})

test('merge keys give way to what stands beside them', () => {
  const tree = readTree('x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n', 'f.yml')
  const y = isBranch(tree) ? tree.get('y') : undefined
  expect(isBranch(y) && [textAt(y, 'a'), textAt(y, 'b'), y.has('<<')]).toEqual(['1', '3', false])
})

test('what an alias stands for is a copy, so that a change of one leaves the other', () => {
  const tree = readTree('x: &x {a: 1}\ny: *x\n', 'f.yml')
  if (!isBranch(tree)) throw new Error('no map')
  expect(tree.get('x')).not.toBe(tree.get('y'))
})

test('an error names the file and the line', () => {
  expect(() => readTree('a: 1\nb: [\n', 'f.yml')).toThrow(/^f\.yml:\d is not YAML/)
})

test('aliases that multiply are refused', () => {
  const lines = ['a: &a [x,x,x,x,x,x,x,x,x,x]']
  for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg']) {
    lines.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join(',')}]`)
  }
  expect(() => readTree(lines.join('\n'), 'f.yml')).toThrow(/more than 200000 values/)
})
