import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { calendarAsker } from '../stack/calendar.ts'
import { obtain } from '../stack/obtain.ts'

const answer = z.object({
  id: z.number(),
  error: z.string().optional(),
  contains: z.boolean().optional(),
  boundaries: z.array(z.object({ at: z.iso.datetime(), contains: z.boolean() })).default([]),
  offset_changes: z
    .array(z.object({ at: z.iso.datetime(), location: z.string(), before: z.number(), after: z.number() }))
    .default([]),
})
type Answer = z.infer<typeof answer>

const officeHours = [
  { weekdays: ['monday:friday'], times: [{ start_time: '09:00', end_time: '17:00' }], location: 'Europe/Berlin' },
]
const minute = 60_000

/** Whether office hours contain a moment, by Node's own knowledge of time zones. */
function inOfficeHours(at: number): boolean {
  const options = { timeZone: 'Europe/Berlin', weekday: 'short', hour: '2-digit', hourCycle: 'h23' } as const
  const parts = new Intl.DateTimeFormat('en-US', options).formatToParts(at)
  const part = (name: string) => parts.find(({ type }) => type === name)?.value ?? ''
  return !/Sat|Sun/.test(part('weekday')) && Number(part('hour')) >= 9 && Number(part('hour')) < 17
}

describe("the program that asks Alertmanager's own time intervals", () => {
  let put: (...questions: readonly object[]) => Promise<Answer[]>
  beforeAll(async () => {
    const ask = calendarAsker((await obtain(['timeinterval'])).timeinterval)
    put = async (...questions) => {
      const lines = questions.map((question, id) => JSON.stringify({ id, ...question }))
      return (await ask(lines)).map((line) => answer.parse(JSON.parse(line)))
    }
  })

  test('says of each moment what a calendar says, across both changes of the clocks', async () => {
    const moments = ['2026-03-28T00:00Z', '2026-10-24T00:00Z'].flatMap((day) =>
      Array.from({ length: 72 * 4 }, (_, quarter) => Date.parse(day) + quarter * 15 * minute),
    )
    const answers = await put(...moments.map((at) => ({ intervals: officeHours, at: new Date(at).toISOString() })))
    expect(answers.map(({ contains }) => contains)).toEqual(moments.map(inOfficeHours))
    expect(new Set(answers.map(({ contains }) => contains)).size).toBe(2)
  })

  test('names every boundary of a year, and when the clocks change', async () => {
    const [year] = await put({ intervals: officeHours, from: '2026-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z' })
    expect(year?.offset_changes).toEqual([
      { at: '2026-03-29T01:00:00Z', location: 'Europe/Berlin', before: 3600, after: 7200 },
      { at: '2026-10-25T01:00:00Z', location: 'Europe/Berlin', before: 7200, after: 3600 },
    ])
    // 261 working days.
    expect(year?.boundaries).toHaveLength(2 * 261)
    for (const { at, contains } of year?.boundaries ?? []) {
      expect(inOfficeHours(Date.parse(at))).toBe(contains)
      expect(inOfficeHours(Date.parse(at) - minute)).toBe(!contains)
    }
  })

  test('reads the YAML of a file as well, with days counted from the end of a month', async () => {
    const intervals = "- days_of_month: ['-1']\n  months: ['february']\n"
    const [leap] = await put({ intervals, from: '2028-01-01T00:00:00Z', to: '2029-01-01T00:00:00Z' })
    expect(leap).toMatchObject({
      contains: false,
      boundaries: [
        { at: '2028-02-29T00:00:00Z', contains: true },
        { at: '2028-03-01T00:00:00Z', contains: false },
      ],
    })
  })

  test.each([
    ['an hour that is none', { intervals: [{ times: [{ start_time: '25:00', end_time: '26:00' }] }] }, 'timestamp'],
    ['a field that is none', { intervals: [{ wekdays: ['monday'] }] }, 'wekdays'],
    ['a place that is none', { intervals: [{ location: 'Mars/Base' }] }, 'Mars/Base'],
    ['no intervals', {}, 'intervals'],
    ['no moment', { intervals: officeHours, at: undefined }, '`at`'],
    [
      'no range',
      { intervals: officeHours, at: undefined, from: '2027-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' },
      'before',
    ],
  ])('refuses %s, and goes on', async (_, question, reason) => {
    const at = '2026-01-05T09:00:00Z'
    const [refused, next] = await put({ at, ...question }, { intervals: officeHours, at })
    expect(refused?.error).toContain(reason)
    expect(refused?.contains).toBeUndefined()
    expect(next).toMatchObject({ id: 1, contains: true })
  })
})
