import { expect, test } from 'vitest'
import { mayHave } from './output-labels.ts'
import { parsePromql } from './promql.ts'
import { parseRules, Recordings } from './recordings.ts'
import { parseRuleFile } from './rule-file.ts'
import { ruleKeys } from './rule-keys.ts'

const rules = parseRules(
  parseRuleFile(
    `groups:
  - name: a
    rules:
      - { record: 'job:x', expr: sum by (job) (x), labels: { team: web } }
      - { record: 'job:ratio', expr: 'job:x / job:y' }
      - { record: 'twice', expr: x }
      - { record: 'twice', expr: y }
      - { record: 'self', expr: self + 1 }
  - name: b
    rules:
      - { record: 'job:z', expr: max by (job) (x2) }
`,
    'a.yml',
  ),
)
const recordings = new Recordings(rules)

test('a recorded metric is replaced by its source, through several rules, where that is unambiguous', () => {
  const metrics = (text: string) => JSON.stringify(recordings.inlined(parsePromql(text))).match(/"metric":"[^"]*"/g)
  expect(metrics('job:ratio > 1')).toEqual(['"metric":"x"', '"metric":"job:y"'])
  expect(metrics('twice > 1')).toEqual(['"metric":"twice"'])
  expect(metrics('self > 1')).toEqual(['"metric":"self"'])
  expect(metrics('job:x{job="a"} > 1')).toEqual(['"metric":"job:x"'])
})

test('the labels of a recorded metric are those of its expression and of the rule', () => {
  const has = (label: string) => recordings.labels('job:x')?.map((one) => mayHave(one, label))
  expect([has('job'), has('team'), has('instance')]).toEqual([[true], [true], [false]])
  expect(recordings.labels('x')).toBeUndefined()
})

test('rules of one name have different keys, others keep theirs', () => {
  expect([...ruleKeys(rules).values()]).toEqual(['job:x', 'job:ratio', 'twice', 'twice#2', 'self', 'job:z'])
})
