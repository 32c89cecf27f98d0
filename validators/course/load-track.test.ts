import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { planScenario } from '../scenarios.ts'
import { LoadTrack } from './load-track.ts'

const file = fileURLToPath(new URL('../../scenarios/spike.ts', import.meta.url))

it('draws what was offered from the profile, and what was achieved from what k6 told', async () => {
  const planned = await planScenario(file, 0, { rate: 40, duration: '10s' }, {})
  const track = new LoadTrack(planned)
  const begunAt = 100_000
  // Four iterations a second in the baseline, told every second.
  for (let second = 1; second <= 3; second += 1) {
    const progress = {
      scenario: 'spike',
      elapsedMs: second * 1000,
      durationMs: 10_000,
      iterations: second * 4,
      text: '',
    }
    track.note({ ...progress, begunAt }, begunAt + second * 1000)
  }
  const window = { from: begunAt - 500, to: begunAt + 10_500 }
  const grid = { from: begunAt, to: begunAt + 12_000, stepMs: 1000, length: 13 }
  const [offered, achieved] = track.series(grid, window)
  expect(offered?.values.slice(0, 3)).toEqual([4, 4, 4])
  expect(offered?.values[4]).toBe(40)
  expect(offered?.values.at(-1)).toBeNull()
  expect(achieved?.values.slice(1, 4).map((value) => Math.round(value ?? -1))).toEqual([4, 4, 4])
  expect(track.bands(window).map(({ kind, name, from }) => `${kind} ${name} ${from - begunAt}`)).toEqual([
    'scenario spike -500',
    'phase baseline 0',
    'phase burst 3000',
    'phase recovery 5500',
  ])
})
