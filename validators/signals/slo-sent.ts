import type { Band, ExpectedCount } from '../../lib/ledger.ts'
import { literal, verbatim } from '../backends/prometheus.ts'
import type { Check, Outcome } from '../check.ts'
import type { Service } from '../config.ts'
import type { ScenarioContext } from '../context.ts'
import { jobOf } from '../coverage.ts'
import { type CounterSelector, selects } from '../slo/selector.ts'
import { type Slo, sloId } from '../slo/slo.ts'
import { missingLedger } from './expected.ts'
import { Scrapes } from './scrapes.ts'

/** Per scenario: do an SLI's counters tell the events that were sent, and the bad ones among them? */
export function sloSentChecks(context: ScenarioContext): Check[] {
  return context.config.slos.map((slo) => ({
    id: `slo.sli.${sloId(slo)}`,
    title: `the SLI of ${sloId(slo)} counts the very events that were sent`,
    signal: 'slo',
    scenario: context.scenario.name,
    run: () => sentAgrees(context, slo),
  }))
}

async function sentAgrees(context: ScenarioContext, slo: Slo): Promise<Outcome> {
  const { ledger, config } = context
  if (!ledger) return missingLedger(context)
  const found = Object.entries(config.services).find(([, service]) => countsRequestsOf(slo, service))
  if (!found) {
    return skipped(
      `no service of the config counts its requests in ${slo.sli.total.metric}, so nothing is known of what was sent`,
    )
  }
  const [name, service] = found
  const sent = sentEvents(ledger.expected(name), slo, service)
  const part = slo.sli.kind === 'bad' ? slo.sli.bad : slo.sli.good
  const scrapes = new Scrapes(context, service)
  const metrics = [...new Set([slo.sli.total.metric, part.metric])].join('|')
  const selector = `{job=${literal(scrapes.job)},__name__=~${literal(metrics)}${ofBuckets(part)}}`
  const expected = `${inWords(sent.events)} events${sent.errors ? `, ${inWords(sent.errors)} of them bad` : ''}, as k6 and muster sent them`
  return scrapes.series(selector, expected, (series, instances) => {
    let [events, parted] = [0, 0]
    for (const one of series) {
      const inTotal = selects(slo.sli.total, one.labels)
      const inPart = selects(part, one.labels)
      if (!inTotal && !inPart) continue
      const grew = scrapes.growth(instances, one)
      if (!grew.known) return { actual: 'unknown', problems: [grew.why] }
      if (inTotal) events += grew.growth
      if (inPart) parted += grew.growth
    }
    const errors = slo.sli.kind === 'bad' ? parted : events - parted
    const tooMany = events > sent.events[1] || (sent.errors !== undefined && errors > sent.errors[1])
    return {
      actual: `${events} events, ${errors} of them bad: the SLI is ${events === 0 ? 'unknown' : shown(1 - errors / events)}`,
      problems: [
        ...outside('events', events, sent.events),
        ...(sent.errors ? outside('bad events', errors, sent.errors) : []),
      ],
      empty: events === 0,
      hopeless: tooMany,
    }
  })
}

/** A histogram's count has no `le`; of its buckets, which are many, only those that the SLI counts are read. */
function ofBuckets({ matchers }: CounterSelector): string {
  const le = matchers.find(({ name }) => name === 'le')
  if (le?.operator === '=') return `,le=~${literal(`|${verbatim(le.value)}`)}`
  return le?.operator === '=~' ? `,le=~${literal(`|(?:${le.value})`)}` : ''
}

/** True if the SLI's events are the requests that the service counts. */
function countsRequestsOf({ sli }: Slo, { requests, duration, job }: Service): boolean {
  if (job === undefined) return false
  const named = { job, __name__: sli.total.metric }
  const own =
    requests.kind === 'http' && (sli.total.metric === requests.metric || sli.total.metric === `${duration}_count`)
  const matchers = sli.total.matchers.filter(({ name }) => name === 'job')
  return own && selects({ metric: sli.total.metric, matchers }, named)
}

/** What was sent of the SLI's events; `errors` undefined if what was sent does not tell which are bad, such as the slow ones. */
function sentEvents(
  expected: readonly ExpectedCount[],
  { sli }: Slo,
  service: Service,
): { events: Band; errors: Band | undefined } {
  const { requests } = service
  const job = jobOf(service)
  if (requests.kind !== 'http') return { events: [0, 0], errors: undefined }
  const part = sli.kind === 'bad' ? sli.bad : sli.good
  const known = new Set<string | false>(['job', requests.route, requests.method, requests.status])
  const tells = part.metric === sli.total.metric && part.matchers.every(({ name }) => known.has(name))
  let [least, most, fewestBad, mostBad] = [0, 0, 0, 0]
  for (const { method, route, status, count } of expected) {
    const labels = (code: string) => ({
      __name__: sli.total.metric,
      job,
      ...(requests.route === false ? {} : { [requests.route]: route }),
      ...(requests.method === false ? {} : { [requests.method]: method }),
      ...(requests.status === false ? {} : { [requests.status]: code }),
    })
    const matters = { ...sli.total, matchers: sli.total.matchers.filter(({ name }) => known.has(name)) }
    if (!selects(matters, labels(status === undefined ? '' : String(status)))) continue
    least += count[0]
    most += count[1]
    // Where the client never learned the status the request may have been either.
    const bad = status !== undefined && selects(part, labels(String(status))) === (sli.kind === 'bad')
    if (bad) fewestBad += count[0]
    if (bad || status === undefined) mostBad += count[1]
  }
  return { events: [least, most], errors: tells ? [fewestBad, mostBad] : undefined }
}

function outside(what: string, count: number, [least, most]: Band): string[] {
  if (count >= least && count <= most) return []
  return [`its counters grew by ${count} ${what}, and ${inWords([least, most])} were sent`]
}

function inWords([least, most]: Band): string {
  return least === most ? String(least) : `${least} to ${most}`
}

function shown(share: number): string {
  return `${Number((share * 100).toFixed(4))} %`
}

function skipped(reason: string): Outcome {
  return {
    verdict: 'skipped',
    reason,
    evidence: { expected: 'events that were sent', actual: reason, attempts: 0, elapsedMs: 0 },
  }
}
