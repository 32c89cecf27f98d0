import { execa } from 'execa'
import { beforeAll, describe, expect, test } from 'vitest'
import { obtain } from '../stack/obtain.ts'
import { proveSlo } from '../validators/slo/proof.ts'
import { burnRules, sloRules } from '../validators/slo/rules.ts'
import { type Slo, slosSchema } from '../validators/slo/slo.ts'
import { Project, redIds, root } from './harness.ts'

let promtool: string

beforeAll(async () => {
  promtool = (await obtain(['promtool'])).promtool
})

/** The first of the workbook's alerts alone: an hour of history is enough for it. */
const page = { urgency: 'page', budget: 0.02, long: '1h', short: '5m' }
const availability = {
  name: 'availability',
  service: 'gateway',
  sli: {
    total: 'http_requests_total{job="gateway"}',
    bad: 'http_requests_total{job="gateway",status=~"5.."}',
    exclude: { route: '/health|/metrics' },
  },
  objective: 0.99,
  windows: [page],
}

function sloOf(input: unknown): Slo {
  const [slo] = slosSchema.parse([input])
  if (!slo) throw new Error('no SLO')
  return slo
}

function proven(slo: Slo, rules = burnRules(slo)) {
  const options = { promtool, rules, incidents: 200, seed: 1, accuracy: 0.95, signal: AbortSignal.timeout(170_000) }
  return proveSlo(slo, options)
}

describe('the generated rules in simulated time', () => {
  test('all four alerts of the workbook fire and reset as the mathematics says, at full scale', async () => {
    const results = await proven(sloOf({ ...availability, windows: 'standard' }))
    expect(results.filter(({ verdict }) => verdict !== 'passed')).toEqual([])
    const figures = (id: string) => results.find((one) => one.id === id)?.evidence.actual ?? ''
    expect(figures('slo.agreement.gateway-availability')).toBe('the same in 33 of 33 incidents')
    expect(figures('slo.precision.gateway-availability')).toMatch(/^\d+(\.\d+)? %/)
    expect(results.filter(({ id }) => /^slo\.proof\.(outage|above|below|burst|slow|recovery)\./.test(id))).toHaveLength(
      24,
    )
  })

  test('windows scaled to a period of 30 hours hold the same mathematics', async () => {
    const results = await proven(
      sloOf({ ...availability, period: '30h', windows: [{ ...page, long: '150s', short: '15s' }], objective: 0.999 }),
    )
    expect(redIds(results)).toEqual([])
  })

  test('a histogram’s threshold is an SLI, too', async () => {
    const sli = { histogram: 'http_request_duration_seconds{job="gateway"}', threshold: '1s' }
    expect(redIds(await proven(sloOf({ ...availability, sli, objective: 0.95 })))).toEqual([])
  })

  test('promtool finds nothing to say against any rule file', async () => {
    const slos = [sloOf({ ...availability, windows: 'standard' }), sloOf({ ...availability, name: 'other', team: 'x' })]
    const { stdout } = await execa(promtool, ['check', 'rules', '--lint=all', '--lint-fatal'], {
      input: sloRules(slos),
    })
    expect(stdout).toContain('SUCCESS')
  })
})

describe('rules that are wrong are red', () => {
  const slo = sloOf(availability)
  const sound = burnRules(slo)
  const about = (name: string) => `slo.proof.${name}.gateway-availability`

  for (const { what, from, to, red } of [
    {
      what: 'a denominator that includes health checks',
      from: '(rate(http_requests_total{job="gateway",route!~"/health|/metrics"}',
      to: '(rate(http_requests_total{job="gateway"}',
      red: [about('excluded')],
    },
    { what: 'a 4xx counted as bad', from: 'status=~"5.."', to: 'status=~"[45].."', red: [about('healthy')] },
    {
      what: 'failing health checks counted as bad',
      from: 'status=~"5..",route!~"/health|/metrics"',
      to: 'status=~"5.."',
      red: [about('excluded-failing')],
    },
    {
      what: 'a factor twice as high',
      from: '> 14.4 *',
      to: '> 28.8 *',
      red: [`${about('outage')}.1h`, `${about('above')}.1h`, 'slo.agreement.gateway-availability'],
    },
    {
      what: 'a factor that can never be reached',
      from: '> 14.4 * 0.01',
      to: '> 144 * 0.01',
      red: [`${about('outage')}.1h`, `${about('recovery')}.1h`],
    },
    {
      what: 'a factor that is too low',
      from: '> 14.4 * 0.01',
      to: '> 1.44 * 0.01',
      red: [`${about('below')}.1h`, `${about('burst')}.1h`],
    },
    {
      what: 'a short window that is left out',
      from: /\n\s*and slo:error_ratio:rate5m.*/,
      to: '',
      red: [`${about('outage')}.1h`, `${about('recovery')}.1h`],
    },
    {
      what: 'a long window that is shorter than its name',
      from: '[1h]',
      to: '[30m]',
      red: [`${about('slow')}.1h`],
    },
    {
      what: 'an alert that waits',
      from: /(and slo:error_ratio:rate5m.*)/,
      to: '$1\n        for: 10m',
      red: [`${about('outage')}.1h`],
    },
    { what: 'an alert that is not there', from: / {6}- alert: [\s\S]*/, to: '', red: [`${about('slow')}.1h`] },
  ]) {
    test(what, async () => {
      const wrong = sound.replaceAll(typeof from === 'string' ? from : new RegExp(from, 'g'), to)
      expect(wrong).not.toBe(sound)
      const ids = redIds(await proven(slo, wrong))
      expect(ids).toEqual(expect.arrayContaining(red))
    })
  }
})

describe('muster slo on the command line', () => {
  let project: Project

  beforeAll(async () => {
    project = await Project.make()
  })

  async function called(args: readonly string[], slo?: string) {
    const file = slo === undefined ? [] : ['--slo', await project.write('slo.yml', slo)]
    const { exitCode, stdout, stderr } = await execa(`${root}/muster`, ['slo', ...args, ...file], {
      reject: false,
      stdin: 'ignore',
      timeout: 60_000,
    })
    return { code: exitCode, stdout, stderr }
  }

  const written = JSON.stringify({ slos: [{ ...availability, windows: 'standard' }] })

  test('prints the same rules of OpenSLO and of its own words', async () => {
    const openSlo = `apiVersion: openslo/v1
kind: SLO
metadata: { name: availability }
spec:
  service: gateway
  indicatorRef: good-answers
  timeWindow: [{ duration: 30d, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ targetPercent: 99 }]
---
apiVersion: openslo/v1
kind: SLI
metadata: { name: good-answers }
spec:
  ratioMetric:
    counter: true
    total: { metricSource: { type: Prometheus, spec: { query: 'http_requests_total{job="gateway",route!~"/health|/metrics"}' } } }
    bad: { metricSource: { spec: { query: 'sum(rate(http_requests_total{job="gateway",status=~"5..",route!~"/health|/metrics"}[5m]))' } } }
`
    const [own, other] = [await called(['rules'], written), await called(['rules'], openSlo)]
    expect([own.code, other.code]).toEqual([0, 0])
    expect(other.stdout).toBe(own.stdout)
  })

  test('a burn factor that can never be reached is a usage error that names the remedy: exit 2', async () => {
    const { code, stderr } = await called(['rules'], written.replace('0.99', '0.9'))
    expect(code).toBe(2)
    expect(stderr).toContain('gateway-availability: its burn factor 14.4')
    expect(stderr).toContain('raise the objective above 93.0556 %')
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  test('proves from the command line, with a report: exit 0, and 1 for a rule file that is wrong', async () => {
    const one = JSON.stringify({ slos: [availability] })
    const green = await called(['prove', '--out', project.folder], one)
    expect(green.code, green.stdout + green.stderr).toBe(0)
    const rules = await project.write('rules.yml', burnRules(sloOf(availability)).replaceAll('14.4 *', '144 *'))
    const red = await called(['prove', '--rules', rules], one)
    expect(red.code).toBe(1)
    expect(red.stdout).toContain('it never fired')
  })
})
