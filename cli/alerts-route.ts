import { dirname, join, parse } from 'node:path'
import { type ExitCode, UsageError } from '../lib/errors.ts'
import type { Labels } from '../lib/matcher.ts'
import { routesOf } from '../lib/route-tree.ts'
import { calendarAsker } from '../stack/calendar.ts'
import { LoneAlertmanagers } from '../stack/lone-alertmanager.ts'
import { obtain } from '../stack/obtain.ts'
import { type AlertmanagerFile, readAlertmanagerFile } from '../validators/routes/alertmanager-file.ts'
import { type Derived, derive, labelsKey, parentsOf, wayTo } from '../validators/routes/derive.ts'
import { examine, type Probe } from '../validators/routes/examine.ts'
import { type Expected, readExpectations, writeExpectations } from '../validators/routes/expectation.ts'
import {
  expectationResult,
  expectationWritten,
  type Reached,
  receiversAt,
  sameReceivers,
  unlisted,
} from '../validators/routes/expected-receivers.ts'
import type { KnownAlert } from '../validators/routes/findings/finding.ts'
import { findFindings, findingInWords, findingResults } from '../validators/routes/findings/findings.ts'
import { filesMatching, readRuleFiles } from '../validators/rules/files.ts'
import type { Flags } from './flags.ts'
import { interruptible } from './interrupt.ts'
import { type RouteRow, routeTable } from './route-table.ts'
import { type Judged, type Print, reportVerdicts } from './verdicts.ts'

export interface RouteFlags extends Pick<Flags, 'out' | 'quiet' | 'verbose' | 'reporter'> {
  readonly config: string
  readonly expect?: string
  readonly rules?: readonly string[]
  readonly update?: boolean
}

const usualWidth = 80

/** `muster alerts route`: what the file tells by itself, and what Alertmanager does with it. */
export function alertsRouteCommand(flags: RouteFlags): Promise<ExitCode> {
  return reportVerdicts(flags.config, flags, (print) => judgeRoutes(flags, print))
}

async function judgeRoutes(flags: RouteFlags, print: Print): Promise<Judged> {
  const startedAt = Date.now()
  const signal = interruptible()
  const file = await readAlertmanagerFile(flags.config)
  const expectPath = flags.expect ?? beside(file.path, '.expect.yml')
  const given = await readExpectations(expectPath)
  if (given === undefined && flags.expect !== undefined && !flags.update) {
    throw new UsageError(`--expect ${flags.expect} does not exist: have it written with --update, or correct the path.`)
  }
  const known = [...(await alertsOfRules(flags.rules ?? [])), ...alertsExpected(given ?? [], expectPath)]
  const derived = derive(file.root)
  const probes = probesOf(file, derived, known, given ?? [])
  const { alertmanager, timeinterval } = await obtain(['alertmanager', 'timeinterval'], {
    signal,
    onProgress: ({ text }) => process.stderr.write(`${text}\n`),
  })
  const askCalendar = calendarAsker(timeinterval)
  const findings = await findFindings({ file, derived, parents: parentsOf(file.root), known, askCalendar })
  const lone = LoneAlertmanagers.open(alertmanager)
  try {
    const examination = await examine(file, probes, {
      start: (options) => lone.start(options),
      askCalendar,
      texts: { path: beside(file.path, '.texts.yml'), update: flags.update ?? false },
      known: known.map(({ labels }) => labels),
      signal,
    })
    const told = new Map(probes.map(({ labels }, n) => [labelsKey(labels), examination.reached[n] ?? []]))
    const kept = await reachedOf(given ?? [], told, file, askCalendar)
    // What Alertmanager did in spite of its own tree is red already, and nothing to keep.
    const sound = probes.every(({ labels }) =>
      sameReceivers(predicted(labels, file), told.get(labelsKey(labels)) ?? []),
    )
    const write = sound && (given === undefined || flags.update)
    if (write) await writeExpectations(expectPath, entriesOf(probes, told, kept))
    const compared = expectationResult(expectPath, kept, startedAt)
    const results = [
      write ? expectationWritten(expectPath, probes.length) : compared,
      ...(write || given === undefined ? [] : unlisted(expectPath, probes, given)),
      ...findingResults(file.path, findings, startedAt),
      ...examination.results,
    ]
    const room = process.stdout.isTTY ? process.stdout.columns : usualWidth
    print([
      ...routeTable(rowsOf(file, derived, probes, given ?? [], told), room),
      '',
      ...findings.map((finding) => findingInWords(file.path, finding)),
      ...(findings.length > 0 ? [''] : []),
    ])
    return { results, sentence: `${derived.length} routes tell whom they should, and nobody was told.` }
  } finally {
    await lone.close()
  }
}

function beside(path: string, ending: string): string {
  return join(dirname(path), `${parse(path).name}${ending}`)
}

/** The alerts of rule files, with the labels whose values no template makes. */
async function alertsOfRules(patterns: readonly string[]): Promise<KnownAlert[]> {
  if (patterns.length === 0) return []
  const from = process.cwd()
  const groups = await readRuleFiles(await filesMatching(patterns, from, '--rules'), from)
  return groups
    .flatMap(({ rules }) => rules)
    .filter(({ kind }) => kind === 'alert')
    .map(({ name, labels, file, line }) => ({
      labels: {
        ...Object.fromEntries(Object.entries(labels).filter(([, value]) => !value.includes('{{'))),
        alertname: name,
      },
      from: `${file}:${line}`,
    }))
}

function alertsExpected(given: readonly Expected[], path: string): KnownAlert[] {
  return given
    .filter(({ labels }) => labels.alertname !== undefined && labels.alertname !== 'MusterProbe')
    .map(({ labels, line }) => ({ labels, from: `${path}:${line}` }))
}

/** Each label set once: those derived for routes, those of known alerts, those of the expectation file. */
function probesOf(
  file: AlertmanagerFile,
  derived: readonly Derived[],
  known: readonly KnownAlert[],
  given: readonly Expected[],
): Probe[] {
  const all = [
    ...derived.flatMap(({ probes }) => probes),
    // Who is told at another time is computed, for Alertmanager's clock is this machine's.
    ...[...known, ...given.filter(({ at }) => at === undefined)].flatMap(({ labels }) => {
      const route = routesOf(labels, file.root)[0]
      return route ? [{ route, labels }] : []
    }),
  ]
  return [...new Map(all.toReversed().map((probe) => [labelsKey(probe.labels), probe])).values()].toReversed()
}

async function reachedOf(
  given: readonly Expected[],
  told: ReadonlyMap<string, readonly string[]>,
  file: AlertmanagerFile,
  askCalendar: (questions: readonly string[]) => Promise<readonly string[]>,
): Promise<Reached[]> {
  const timed = given.flatMap((expected) => (expected.at === undefined ? [] : [{ ...expected, at: expected.at }]))
  const then = await receiversAt(timed, file, askCalendar)
  return [
    ...given
      .filter(({ at }) => at === undefined)
      .map((expected) => ({ expected, receivers: told.get(labelsKey(expected.labels)) ?? [] })),
    ...timed.map((expected, n) => ({ expected, receivers: then[n] ?? [] })),
  ]
}

function entriesOf(
  probes: readonly Probe[],
  told: ReadonlyMap<string, readonly string[]>,
  kept: readonly Reached[],
): Omit<Expected, 'line'>[] {
  return [
    ...probes.map(({ labels }) => ({ labels, receivers: told.get(labelsKey(labels)) ?? [] })),
    ...kept
      .filter(({ expected }) => expected.at !== undefined)
      .map(({ expected, receivers }) => ({ ...expected, receivers })),
  ]
}

function predicted(labels: Labels, { root }: AlertmanagerFile): readonly string[] {
  return routesOf(labels, root).map(({ receiver }) => receiver)
}

/** A row for each label set that was sent: those derived for a route first, then those of rules and expectations. */
function rowsOf(
  file: AlertmanagerFile,
  derived: readonly Derived[],
  probes: readonly Probe[],
  given: readonly Expected[],
  told: ReadonlyMap<string, readonly string[]>,
): RouteRow[] {
  const parents = parentsOf(file.root)
  const expectations = new Map(
    given.filter(({ at }) => at === undefined).map(({ labels, receivers }) => [labelsKey(labels), receivers]),
  )
  const own = new Set(derived.flatMap((one) => one.probes.map(({ labels }) => labelsKey(labels))))
  return derived.flatMap(({ route, state, ...one }): RouteRow[] => {
    const depth = wayTo(route, parents).length - 1
    const others = probes.filter((probe) => probe.route === route && !own.has(labelsKey(probe.labels)))
    const sent = [...one.probes, ...others]
    if (sent.length === 0) {
      const verdict = state === 'unreachable' ? 'unreachable' : state === 'entered' ? 'never answers' : 'not decided'
      return [{ route, depth, expected: [], reached: [], verdict }]
    }
    return sent.map(({ labels }) => {
      const expected = expectations.get(labelsKey(labels)) ?? predicted(labels, file)
      const reached = told.get(labelsKey(labels)) ?? []
      const verdict = sameReceivers(expected, reached) ? 'as expected' : 'differs'
      return { route, depth, probe: labels, expected, reached, verdict }
    })
  })
}
