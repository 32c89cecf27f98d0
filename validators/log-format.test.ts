import { expect, it } from 'vitest'
import { lineQuery, logsSchema, tells } from './log-format.ts'

const selector = '{app="shop"}'
const problems = (logs: object) =>
  logsSchema.safeParse({ selector, ...logs }).error?.issues.map(({ message }) => message)

it('wants a message where no pattern finds the line, and a trace id everywhere', () => {
  expect(problems({})).toEqual(['is needed: the message of the line that is written per request'])
  expect(problems({ message: 'done' })).toBeUndefined()
  expect(problems({ message: 'done', names: { trace_id: false } })?.[0]).toContain('no line belongs to a request')
  expect(problems({ format: { pattern: '(?<status>\\d+)' } })?.[0]).toContain('needs a group (?<trace_id>')
})

it('refuses a pattern that only one of JavaScript and Go knows, and groups that mean nothing', () => {
  const told = (pattern: string, more = {}) => problems({ format: { pattern }, ...more })?.[0]
  expect(told('(?<trace_id>\\w+)(?=x)')).toContain('no regular expression for Go')
  expect(told('(?<trace_id>\\w+')).toContain('no regular expression for JavaScript')
  expect(told('(?<trace_id>\\w+) (?<code>\\d+)')).toContain('has the groups code; muster reads')
  expect(told('(?<trace_id>\\w+)', { names: { level: 'lvl' } })).toContain('beside a pattern')
})

it('asks Loki for the very lines, without the names of groups', () => {
  const pattern = String.raw`\(?<x \[(?<trace_id>[(?<a>]+)\] "GET`
  expect(lineQuery(logsSchema.parse({ selector, format: { pattern } }))).toBe(
    String.raw`{app="shop"} |~ "\\(?<x \\[(?:[(?<a>]+)\\] \"GET"`,
  )
  expect(lineQuery(logsSchema.parse({ selector, message: 'a "b"' }))).toBe(String.raw`{app="shop"} |= "a \"b\""`)
})

it('knows what a line tells', () => {
  const json = logsSchema.parse({ selector, message: 'done', names: { span_id: false, path: 'url' } })
  expect(tells(json, 'span_id')).toBe(false)
  expect(tells(json, 'path')).toBe(true)
  expect(tells(json, 'duration_s')).toBe(false)
  expect(tells(json, 'duration_ms', 'duration_s')).toBe(true)
  const text = logsSchema.parse({ selector, format: { pattern: '(?<trace_id>\\w+) (?<status>\\d+)' } })
  expect(tells(text, 'status')).toBe(true)
  expect(tells(text, 'level')).toBe(false)
})

it('demands the usual fields of JSON alone', () => {
  const json = logsSchema.parse({ selector, message: 'done' })
  expect(json.processLogger).toBe('process')
  expect(json.fields).toContain('trace_id')
  const logfmt = logsSchema.parse({ selector, message: 'done', format: 'logfmt' })
  expect(logfmt).toMatchObject({ fields: [], processLogger: false })
})
