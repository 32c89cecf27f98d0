import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RunEvent } from '../lib/event.ts'
import { greenEnding, redEnding, sampleBeginning, sampleCheck, sampleRow, sampleStart } from './sample-run.test-data.ts'
import { type TerminalReporterOptions, terminalReporter } from './terminal.ts'
import { clean, width, wrap, wrapCommand } from './text.ts'

interface Setting extends Partial<Omit<TerminalReporterOptions, 'stream'>> {
  readonly columns?: number
}

/** What a run prints. */
function shown(events: readonly RunEvent[], { columns, ...options }: Setting = {}): string {
  let text = ''
  const stream = {
    isTTY: columns !== undefined,
    ...(columns === undefined ? {} : { columns }),
    write: (piece: string) => {
      text += piece
    },
  }
  const defaults = { reportFolder: 'reports/out/20261121-140000-5f2c9a10', environment: {}, timeZone: 'UTC' }
  const reporter = terminalReporter({ ...defaults, ...options, stream })
  for (const event of events) reporter.on(event)
  reporter.close?.()
  return text
}

const red = [...sampleBeginning(), ...redEnding()]
const green = [...sampleBeginning(), ...greenEnding()]
const csi = '\x1b['

beforeEach(() => {
  vi.useFakeTimers({ now: sampleStart })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('terminal without a TTY', () => {
  it.each([
    ['red', red],
    ['green', green],
  ])('shows a %s run in 80 columns', async (name, events) => {
    const text = shown(events)
    await expect(text).toMatchFileSnapshot(`./__snapshots__/terminal-${name}.txt`)
    expect(text).not.toContain(csi)
    expect(Math.max(...text.split('\n').map(width))).toBeLessThanOrEqual(80)
  })

  it('shows progress at most every five seconds, and the last state in the end', () => {
    const lines: string[] = []
    const stream = { write: (text: string) => lines.push(text) }
    const reporter = terminalReporter({ stream, environment: {} })
    for (let second = 1; second <= 12; second++) {
      reporter.on({ type: 'phase', at: sampleStart + second * 1000, text: `second ${second}` })
      vi.advanceTimersByTime(1000)
    }
    expect(lines.map((line) => line.match(/second \d+/)?.[0])).toEqual(['second 1', 'second 5', 'second 10'])
    vi.advanceTimersByTime(5000)
    expect(lines.at(-1)).toContain('second 12')
  })

  it('shows a red check at once and a green one not', () => {
    const [passed, failed] = redEnding()
    if (passed === undefined || failed === undefined) throw new Error('the sample run has checks')
    const before = shown([...sampleBeginning(), passed]).split('Scenario  ')[0] ?? ''
    const after = shown([...sampleBeginning(), passed, failed]).split('Scenario  ')[0] ?? ''
    expect(before).not.toContain('p95 stays')
    expect(after).toContain('✗ metrics / basic · Every request is counted: The gateway counted')
  })

  it("shows every threshold's rule beside what was measured", () => {
    const threshold = (
      key: string,
      rule: string,
      actual: string,
      verdict: 'passed' | 'failed' | 'no-data',
    ): RunEvent => ({
      type: 'check',
      at: sampleStart,
      result: sampleCheck('load', `threshold.${key}.p(95)`, `${key} keeps ${rule}`, verdict, {
        seen: { query: key, expected: rule, actual },
      }),
    })
    const text = shown([
      threshold('http_req_duration{part:load}', 'p(95)<500', '512.3', 'failed'),
      threshold('http_req_duration{part:load,phase:recovery}', 'p(95)<500', '12', 'passed'),
      threshold('http_req_failed{part:load}', 'rate<0.01', 'no samples', 'no-data'),
    ])
    expect(text).toContain(
      [
        '  Scenario  Threshold                          Rule             Actual',
        '  basic     http_req_duration                  p(95)<500       512.3 ✗',
        '  basic     http_req_duration{phase:recovery}  p(95)<500          12 ✓',
        '  basic     http_req_failed                    rate<0.01  no samples ✗',
      ].join('\n'),
    )
  })

  it('says so when the run was cut off', () => {
    expect(shown(sampleBeginning())).toMatch(/✗ CUT OFF {2}The run did not come to its end\.\n$/)
  })

  it('quiet: only failures and the verdict', () => {
    expect(shown(green, { verbosity: 'quiet' })).toBe('✓ PASSED  All 2 checks passed, 1 was skipped. (31 s)\n')
    const text = shown(red, { verbosity: 'quiet' })
    // Losses are told first; without any, there is no table.
    expect(text).toMatch(/^ {2}Service +Sent +Counted/)
    expect(text).toMatch(/\nFAILED {2}metrics \/ basic · Every request is counted\n/)
    expect(text).not.toContain('Signal')
  })

  it.each([
    ['four figures', 4812],
    ['six figures', 812_345],
    ['seven figures', 1_812_345],
  ])('keeps the roll call of several scenarios with %s inside 80 columns', (_, sent) => {
    const rows = [sampleRow('gateway', sent, { sent: [sent, sent + 12] }), sampleRow('webhooks', sent, { missing: 17 })]
    const events = ['basic', 'spike'].map((scenario): RunEvent => {
      return { type: 'roll-call', at: sampleStart, rollCall: { scenario, rows, losses: [] } }
    })
    const text = shown(events)
    expect(Math.max(...text.split('\n').map(width))).toBeLessThanOrEqual(80)
    expect(text).toMatch(
      / {2}Service +Sent +Counted +Logged +Traced +Missing +Doubled +Freshness\n {2}basic\n {4}gateway .*\n {4}webhooks /,
    )
    expect(text.replaceAll(',', '')).toContain(`${sent}+12`)
  })

  it('verbose: every check with its evidence', () => {
    const text = shown(green, { verbosity: 'verbose' })
    expect(text).toContain('✓ load / basic · p95 stays below 500 ms\n  expected   4,812 requests counted')
  })

  it('passes on no control characters of others', () => {
    const nasty = '\x1b[31mred\x1b[0m \x1b]0;title\x07 bell\x07 back\b \u202ereversed\u202c\r\nnext \ud800'
    const text = shown([
      { type: 'phase', at: sampleStart, text: nasty },
      { type: 'warning', at: sampleStart, text: nasty },
      {
        type: 'check',
        at: sampleStart,
        result: sampleCheck('logs', 'x', nasty, 'failed', {
          reason: nasty,
          seen: { actual: nasty, link: nasty, reproduce: nasty },
        }),
      },
    ])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/)
    expect(text).toContain('red')
  })

  it('is red when nothing was judged', () => {
    expect(shown(sampleBeginning())).toContain('No check was judged, so nothing is proven.')
  })
})

describe('terminal with a TTY', () => {
  it('keeps to its width and draws a live line', () => {
    const text = shown(red, { columns: 100 })
    expect(text).toContain('\r\x1b[2K 0:09  basic ━━━━━┄┄┄┄┄┄┄ 8/20 s  320 iterations')
    expect(text).toContain(`${csi}31m`)
    const lines = text.replaceAll('\r\x1b[2K', '\n').split('\n')
    expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(100)
  })

  it('tells rate, errors and p95 of the load as k6 sees them, in 80 columns', () => {
    const live = { rate: 1234.4, errorRatio: 0.0123, p95Ms: 12.4 }
    const progress = { scenario: 'basic', elapsedMs: 8000, durationMs: 20_000, iterations: 320, text: '', live }
    const events: RunEvent[] = [{ type: 'load-progress', at: sampleStart + 8000, progress }]
    const line = '8/20 s  1,234/s  1.23 % errors  p95 12 ms'
    expect(shown(events, { columns: 80 })).toContain(`basic ━━━━━┄┄┄┄┄┄┄ ${line}`)
    expect(shown(events)).toContain(` 0:00  basic ${line}\n`)
    const quiet = { ...progress, live: { rate: 0, errorRatio: null, p95Ms: null } }
    expect(shown([{ type: 'load-progress', at: sampleStart, progress: quiet }])).toContain('basic 8/20 s  0/s\n')
  })

  it('never is narrower than 60 columns', () => {
    expect(shown(green, { columns: 20 })).toContain('prometheus  http://127.0.0.1:9090')
  })

  it('lets the clock run between events', () => {
    let text = ''
    const stream = { isTTY: true, columns: 80, write: (piece: string) => (text += piece) }
    const reporter = terminalReporter({ stream, environment: {} })
    reporter.on({ type: 'phase', at: sampleStart, text: 'Starting the stack' })
    vi.advanceTimersByTime(3000)
    expect(text).toContain(' 0:03  Starting the stack')
    reporter.close?.()
    text = ''
    vi.advanceTimersByTime(3000)
    expect(text).toBe('')
  })

  it.each([
    ['NO_COLOR', { NO_COLOR: '1' }, false, true],
    ['CI', { CI: 'true' }, true, false],
    ['TERM=dumb', { TERM: 'dumb' }, false, false],
    ['FORCE_COLOR over NO_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, true],
  ])('honours %s', (_name, environment, colored, live) => {
    const text = shown(red, { columns: 80, environment })
    expect(text.includes(`${csi}31m`)).toBe(colored)
    expect(text.includes(`${csi}2K`)).toBe(live)
  })

  it('colours a pipe where FORCE_COLOR says so', () => {
    expect(shown(red, { environment: { FORCE_COLOR: '1' } })).toContain(`${csi}31m`)
    expect(shown(red, { environment: { FORCE_COLOR: '0' }, columns: 80 })).not.toContain(`${csi}31m`)
  })
})

describe('text', () => {
  it('wraps at spaces, and inside a word where it must', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
    expect(wrap('abcdefghij kl', 4)).toEqual(['abcd', 'efgh', 'ij', 'kl'])
    expect(wrap('日本語', 4)).toEqual(['日本', '語'])
    expect(wrap('日', 1)).toEqual(['日'])
    expect(wrap('a\n\nb', 4)).toEqual(['a', '', 'b'])
  })

  it('breaks a command only where the shell lets it', () => {
    expect(wrapCommand(`curl -s 'a b c' "d \\" e" f\\ g http://h/i`, 18)).toEqual([
      `curl -s 'a b c' \\`,
      `  "d \\" e" f\\ g \\`,
      '  http://h/i',
    ])
    expect(wrapCommand('a\nb', 10)).toEqual(['a', 'b'])
    expect(wrapCommand(`it's`, 10)).toEqual([`it's`])
  })

  it('cleans', () => {
    expect(clean('a\x1b[1mb\x1b[0m\0\r\nc\td\ud800e')).toBe('ab\nc\tde')
    expect(clean('😀')).toBe('😀')
  })
})
