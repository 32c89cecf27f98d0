import { expect, it } from 'vitest'
import { z } from 'zod'
import { settingsAt } from './config-keys.ts'

const schema = z.strictObject({
  services: z.record(z.string(), z.strictObject({ logs: z.strictObject({ selector: z.string() }).optional() })),
  scenarios: z.array(z.union([z.string().transform((file) => ({ file })), z.strictObject({ file: z.string() })])),
})

it.each([
  [[], ['services', 'scenarios']],
  [['services', 'shop'], ['logs']],
  [['services', 'shop', 'logs'], ['selector']],
  [['scenarios', 0], ['file']],
  [['nowhere', 'shop'], []],
])('the settings at %j are %j', (path, expected) => {
  expect(settingsAt(schema, path)).toEqual(expected)
})
