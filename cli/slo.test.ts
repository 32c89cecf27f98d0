import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { loadConfig } from '../validators/config.ts'
import { sloRules } from '../validators/slo/rules.ts'

test('the sample stack’s rule file is what muster slo rules makes of the sample config today', async () => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const { slos } = await loadConfig('muster.config.ts', root)
  expect(await readFile(`${root}/stack/config/rules/slo.yml`, 'utf8')).toBe(sloRules(slos))
})
