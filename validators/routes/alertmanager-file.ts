import { readFile } from 'node:fs/promises'
import { UsageError } from '../../lib/errors.ts'
import { type Matcher, MatcherSyntaxError, matcher, parseMatchers } from '../../lib/matcher.ts'
import { nearest } from '../../lib/nearest.ts'
import { allRoutes, type Route } from '../../lib/route-tree.ts'
import { fileSchema, type ParsedRoute, receiverTypes } from './alertmanager-schema.ts'
import { lineFinder } from './yaml-lines.ts'
import { type Branch, isBranch, isLeaf, isList, readTree, type Tree } from './yaml-tree.ts'

/** One `…_configs` entry of a receiver. */
export interface Integration {
  /** As in the file: `slack_configs`. */
  readonly type: string
  /** Its place in that list, from 0; Alertmanager numbers integrations of a type the same way. */
  readonly index: number
  readonly line: number
}

export interface Receiver {
  readonly name: string
  readonly line: number
  readonly integrations: readonly Integration[]
}

/** Mutes alerts that fulfil `target` while one that fulfils `source` fires and has the same values of the labels `equal`. */
export interface InhibitRule {
  /** `inhibit_rules[2]`. */
  readonly path: string
  readonly line: number
  readonly name: string | undefined
  readonly source: readonly Matcher[]
  readonly target: readonly Matcher[]
  readonly equal: readonly string[]
}

/** A calendar that a route can name in mute_time_intervals or active_time_intervals. */
export interface NamedTimeInterval {
  readonly name: string
  readonly line: number
  /** What stands under `time_intervals:` of this one, uninterpreted. */
  readonly intervals: Tree
}

/** Alertmanager's configuration, as far as routing needs it. */
export interface AlertmanagerFile {
  /** As it was given; findings name it. */
  readonly path: string
  /** As written, secrets included: for comments in it, never to be shown. */
  readonly text: string
  /** The whole file, uninterpreted. */
  readonly tree: Branch
  readonly root: Route
  readonly receivers: ReadonlyMap<string, Receiver>
  readonly inhibitRules: readonly InhibitRule[]
  readonly timeIntervals: ReadonlyMap<string, NamedTimeInterval>
  /** Patterns of template files, as written. */
  readonly templates: readonly { readonly pattern: string; readonly line: number }[]
}

/** Reads and checks a file as Alertmanager 0.31 would. @throws UsageError with every problem, its line and its path */
export async function readAlertmanagerFile(path: string): Promise<AlertmanagerFile> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new UsageError(`The Alertmanager file ${path} cannot be read (${code}): name an existing one with --config.`)
  }
  return parseAlertmanagerFile(text, path)
}

/** Like `readAlertmanagerFile`, of a text. @throws UsageError */
export function parseAlertmanagerFile(text: string, path: string): AlertmanagerFile {
  const tree = readTree(text, path)
  if (!isBranch(tree))
    throw new UsageError(`${path} holds no settings: an Alertmanager file has at least route and receivers.`)
  refuseOthers(tree, path)
  const lineOf = lineFinder(text)
  const problems = new Problems(path, lineOf)
  const parsed = fileSchema.safeParse(plainOf(tree))
  if (!parsed.success) {
    for (const { path: at, message } of parsed.error.issues) problems.add(at, message)
    throw problems.error()
  }
  const { route, receivers, inhibit_rules, time_intervals, mute_time_intervals, templates } = parsed.data
  const file: AlertmanagerFile = {
    path,
    text,
    tree,
    root: routeOf(route, ['route'], undefined, { problems, lineOf }),
    receivers: unique(receivers, ['receivers'], problems, (receiver, n) => ({
      name: receiver.name,
      line: lineOf(['receivers', n]),
      integrations: receiverTypes.flatMap((type) =>
        (receiver[type] ?? []).map((_, index) => ({ type, index, line: lineOf(['receivers', n, type, index]) })),
      ),
    })),
    inhibitRules: inhibit_rules.map((rule, n) => {
      const at = ['inhibit_rules', n]
      return {
        path: `inhibit_rules[${n}]`,
        line: lineOf(at),
        name: rule.name,
        source: matchersOf(rule.source_match, rule.source_match_re, rule.source_matchers, at, 'source_', problems),
        target: matchersOf(rule.target_match, rule.target_match_re, rule.target_matchers, at, 'target_', problems),
        equal: rule.equal,
      }
    }),
    timeIntervals: new Map(
      (
        [
          ['time_intervals', time_intervals],
          ['mute_time_intervals', mute_time_intervals],
        ] as const
      ).flatMap(([key, list]) => [
        ...unique(list, [key], problems, ({ name }, n) => ({
          name,
          line: lineOf([key, n]),
          intervals: treeAt(tree, [key, n, 'time_intervals']),
        })),
      ]),
    ),
    templates: templates.map((pattern, n) => ({ pattern, line: lineOf(['templates', n]) })),
  }
  for (const name of new Set(time_intervals.map(({ name }) => name))) {
    const twin = mute_time_intervals.findIndex((other) => other.name === name)
    if (twin >= 0) problems.add(['mute_time_intervals', twin, 'name'], `"${name}" is defined twice`)
  }
  checkReferences(file, problems)
  if (problems.any) throw problems.error()
  return file
}

class Problems {
  private readonly found: { readonly line: number; readonly text: string }[] = []
  private readonly file: string
  private readonly lineOf: (path: readonly PropertyKey[]) => number

  constructor(file: string, lineOf: (path: readonly PropertyKey[]) => number) {
    this.file = file
    this.lineOf = lineOf
  }

  get any(): boolean {
    return this.found.length > 0
  }

  add(path: readonly PropertyKey[], problem: string): void {
    const line = this.lineOf(path)
    this.found.push({ line, text: `${this.file}:${line} ${pathInWords(path)} ${problem}`.replaceAll('  ', ' ') })
  }

  error(): UsageError {
    const [first, ...more] = this.found.sort((a, b) => a.line - b.line).map(({ text }) => text)
    if (more.length === 0) return new UsageError(`${first}: Alertmanager would not load this file; correct it.`)
    return new UsageError(
      `Alertmanager would not load this file, which has ${more.length + 1} problems:\n${[first, ...more].join('\n')}`,
    )
  }
}

function pathInWords(path: readonly PropertyKey[]): string {
  return path
    .map((part, n) => (typeof part === 'number' ? `[${part}]` : `${n === 0 ? '' : '.'}${String(part)}`))
    .join('')
}

const othersKeys: readonly (readonly [key: string, kind: string])[] = [
  ['scrape_configs', "Prometheus' configuration"],
  ['rule_files', "Prometheus' configuration"],
  ['groups', 'a file of Prometheus rules'],
  ['rule_groups', 'a file of Prometheus rules'],
  ['apiVersion', "a Kubernetes manifest: take Alertmanager's file out of it"],
]

function refuseOthers(tree: Branch, path: string): void {
  if (tree.has('route')) return
  const other = othersKeys.find(([key]) => tree.has(key))
  if (other)
    throw new UsageError(`${path} is ${other[1]}, not Alertmanager's file: name alertmanager.yml with --config.`)
  throw new UsageError(`${path} has no route, so no alert would reach anyone: name Alertmanager's file with --config.`)
}

/** The tree as strings, lists and records; null where nothing was written. */
function plainOf(tree: Tree): unknown {
  if (isLeaf(tree)) return tree.plain && /^(|~|null|Null|NULL)$/.test(tree.text) ? null : tree.text
  if (isList(tree)) return tree.map(plainOf)
  return Object.fromEntries([...tree].map(([key, value]) => [key, plainOf(value)]))
}

function treeAt(tree: Tree, path: readonly (string | number)[]): Tree {
  let at: Tree | undefined = tree
  for (const part of path)
    at = typeof part === 'number' ? (isList(at) ? at[part] : undefined) : isBranch(at) ? at.get(part) : undefined
  return at ?? []
}

interface Reading {
  readonly problems: Problems
  readonly lineOf: (path: readonly PropertyKey[]) => number
}

/** dispatch.DefaultRouteOpts */
const defaults = {
  receiver: '',
  groupBy: [],
  groupWaitMs: 30_000,
  groupIntervalMs: 300_000,
  repeatIntervalMs: 14_400_000,
}

function routeOf(
  parsed: ParsedRoute,
  at: readonly (string | number)[],
  parent: Omit<Route, 'routes'> | undefined,
  reading: Reading,
): Route {
  const inherited = parent ?? defaults
  const own = {
    path: pathInWords(at),
    line: reading.lineOf(at),
    receiver: parsed.receiver || inherited.receiver,
    groupBy: parsed.group_by ?? inherited.groupBy,
    groupWaitMs: parsed.group_wait ?? inherited.groupWaitMs,
    groupIntervalMs: parsed.group_interval ?? inherited.groupIntervalMs,
    repeatIntervalMs: parsed.repeat_interval ?? inherited.repeatIntervalMs,
    matchers: matchersOf(parsed.match, parsed.match_re, parsed.matchers, at, '', reading.problems),
    continue: parsed.continue,
    muteTimeIntervals: parsed.mute_time_intervals,
    activeTimeIntervals: parsed.active_time_intervals,
  }
  const routes = parsed.routes.map((child, n) => routeOf(child, [...at, 'routes', n], own, reading))
  return { ...own, routes }
}

function matchersOf(
  equal: Readonly<Record<string, string>>,
  regexp: Readonly<Record<string, string>>,
  lines: readonly string[],
  at: readonly (string | number)[],
  prefix: string,
  problems: Problems,
): readonly Matcher[] {
  const read = (path: readonly (string | number)[], action: () => readonly Matcher[]) => {
    try {
      return action()
    } catch (error) {
      if (!(error instanceof MatcherSyntaxError)) throw error
      problems.add(path, `is no matcher: ${error.message}`)
      return []
    }
  }
  return [
    ...Object.entries(equal).map(([name, value]) => matcher(name, '=', value)),
    ...Object.entries(regexp).flatMap(([name, value]) =>
      read([...at, `${prefix}match_re`, name], () => [matcher(name, '=~', value)]),
    ),
    ...lines.flatMap((line, n) => read([...at, `${prefix}matchers`, n], () => parseMatchers(line))),
  ]
}

function unique<P extends { readonly name: string }, T>(
  list: readonly P[],
  at: readonly string[],
  problems: Problems,
  make: (item: P, n: number) => T,
): ReadonlyMap<string, T> {
  const found = new Map<string, T>()
  for (const [n, item] of list.entries()) {
    if (found.has(item.name)) problems.add([...at, n, 'name'], `"${item.name}" is defined twice`)
    found.set(item.name, make(item, n))
  }
  return found
}

function checkReferences({ root, receivers, timeIntervals }: AlertmanagerFile, problems: Problems): void {
  const at = (route: Route, key: string) => [
    ...route.path
      .split(/[.[\]]+/)
      .filter(Boolean)
      .map(numeric),
    key,
  ]
  if (root.receiver === '') problems.add(['route'], 'has no receiver, and the root needs one')
  if (root.matchers.length > 0) problems.add(['route'], 'has matchers, but the root must take every alert')
  if (root.continue) problems.add(['route', 'continue'], 'cannot be true at the root')
  if (root.muteTimeIntervals.length + root.activeTimeIntervals.length > 0) {
    problems.add(['route'], 'has time intervals, which the root must not have')
  }
  for (const route of allRoutes(root)) {
    if (route.receiver !== '' && !receivers.has(route.receiver)) {
      problems.add(
        at(route, 'receiver'),
        `names the receiver "${route.receiver}", which is not defined${hint(route.receiver, receivers)}`,
      )
    }
    for (const key of ['mute_time_intervals', 'active_time_intervals'] as const) {
      const names = key === 'mute_time_intervals' ? route.muteTimeIntervals : route.activeTimeIntervals
      for (const name of names) {
        if (timeIntervals.has(name)) continue
        problems.add(
          at(route, key),
          `names the time interval "${name}", which is not defined${hint(name, timeIntervals)}`,
        )
      }
    }
  }
}

function numeric(part: string): string | number {
  return /^\d+$/.test(part) ? Number(part) : part
}

function hint(name: string, known: ReadonlyMap<string, unknown>): string {
  const near = nearest(name, [...known.keys()])
  return near === undefined ? '' : ` (did you mean "${near}"?)`
}
