import { isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import { z } from 'zod'
import { UsageError } from '../../lib/errors.ts'
import { parsePrometheusDuration } from '../../lib/prometheus-duration.ts'
import { type Position, positionIn } from './text-position.ts'

/** A part of a rule that a finding can point at. */
export type RulePart =
  | 'expr'
  | 'for'
  | 'keep_firing_for'
  | 'alert'
  | 'record'
  | `labels.${string}`
  | `annotations.${string}`

export interface Rule {
  readonly kind: 'alert' | 'record'
  /** The alert's name or the recorded metric's. */
  readonly name: string
  readonly expr: string
  readonly forMs: number
  readonly keepFiringForMs: number
  /** The group's labels included. */
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** As it was given on the command line. */
  readonly file: string
  /** Lints that a comment at the rule allows, `# muster allow <lint>: <reason>`; the reason by the lint's name. */
  readonly allowed: ReadonlyMap<string, string>
  /** Of the rule's first key, from 1. */
  readonly line: number
  /** Where a part stands in the file; the rule's own place if it lacks the part. @param offset into the part's text */
  readonly locate: (part: RulePart, offset?: number) => Position
}

export interface RuleGroup {
  readonly file: string
  readonly name: string
  /** Absent: the evaluation interval that Prometheus was started with. */
  readonly intervalMs?: number
  readonly rules: readonly Rule[]
}

const duration = z
  .union([z.string(), z.number()])
  .transform((value) => (value === '' ? 0 : parsePrometheusDuration(String(value))))
  .refine((ms) => ms !== undefined, { error: 'is no duration such as 30s or 5m' })
const texts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
const ruleSchema = z
  .strictObject({
    alert: z.string().optional(),
    record: z.string().optional(),
    expr: z.union([z.string(), z.number()]).transform(String),
    for: duration.optional(),
    keep_firing_for: duration.optional(),
    labels: texts.nullish(),
    annotations: texts.nullish(),
  })
  .refine((rule) => (rule.alert === undefined) !== (rule.record === undefined), {
    error: 'needs either alert or record, and not both',
  })
const fileSchema = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string().min(1),
      interval: duration.optional(),
      query_offset: duration.optional(),
      limit: z.number().int().optional(),
      labels: texts.nullish(),
      rules: z.array(ruleSchema).nullish(),
    }),
  ),
})

/**
 * The groups of a Prometheus rule file.
 * @param file its name, for messages
 * @throws UsageError with file:line:column for what is no YAML, or no rule file
 */
export function parseRuleFile(text: string, file: string): RuleGroup[] {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const [broken] = document.errors
  if (broken) {
    throw new UsageError(`${at(broken.pos[0])}: this is no YAML (${firstLine(broken.message)}); correct it there.`)
  }
  const json: unknown = document.toJS()
  const other = otherKind(json)
  if (other)
    throw new UsageError(`${file} is ${other}; give --rules the files that rule_files of prometheus.yml names.`)
  const parsed = fileSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const path = issue?.path.filter((key) => typeof key !== 'symbol') ?? []
    const where = nearest(path)?.range?.[0] ?? 0
    throw new UsageError(
      `${at(where)}: ${path.join('.') || 'the file'} is not as Prometheus wants it in a rule file (${issue?.message}); correct it there.`,
    )
  }
  return parsed.data.groups.map((group, groupIndex) => ({
    file,
    name: group.name,
    // Prometheus takes 0 for "not set", too.
    ...(group.interval ? { intervalMs: group.interval } : {}),
    rules: (group.rules ?? []).map((rule, ruleIndex) => {
      const base = ['groups', groupIndex, 'rules', ruleIndex]
      const own = lines.linePos(nodeAt(base)?.range?.[0] ?? 0)
      return {
        kind: rule.alert === undefined ? ('record' as const) : ('alert' as const),
        name: rule.alert ?? rule.record ?? '',
        expr: rule.expr,
        forMs: rule.for ?? 0,
        keepFiringForMs: rule.keep_firing_for ?? 0,
        labels: { ...group.labels, ...rule.labels },
        annotations: rule.annotations ?? {},
        file,
        allowed: allowances(commentsAt(own.line, own.col, nextLine(groupIndex, ruleIndex))),
        line: own.line,
        locate: (part: RulePart, offset = 0) => {
          const node = nodeAt([...base, ...partPath(part)])
          return node && isScalar(node) ? positionIn(text, node, offset, lines) : { line: own.line, column: own.col }
        },
      }
    }),
  }))

  function nextLine(group: number, rule: number): number {
    const next = nodeAt(['groups', group, 'rules', rule + 1]) ?? nodeAt(['groups', group + 1])
    return next ? lines.linePos(next.range?.[0] ?? 0).line : text.split('\n').length + 1
  }

  /** The lines of a rule: comments above it are its own, those as deep as its keys belong to the one before. */
  function commentsAt(line: number, column: number, next: number): string[] {
    const all = text.split('\n')
    const depth = (one: number) => /^(\s*)#/.exec(all[one - 1] ?? '')?.[1]?.length
    const isAbove = (one: number) => (depth(one) ?? column) < column - 1
    let [from, to] = [line, next]
    while (isAbove(from - 1)) from -= 1
    while (to > line && isAbove(to - 1)) to -= 1
    return all.slice(from - 1, to - 1)
  }

  function nodeAt(path: readonly (string | number)[]): Node | undefined {
    const node: unknown = document.getIn(path, true)
    return isNodeWithRange(node) ? node : undefined
  }

  /** The thing itself, or what holds the place where it should be. */
  function nearest(path: readonly (string | number)[]): Node | undefined {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = nodeAt(path.slice(0, length))
      if (node) return node
    }
    return undefined
  }
}

function allowances(lines: readonly string[]): Map<string, string> {
  const found = lines.flatMap((line) => {
    const [, lint, reason] = /#\s*muster allow ([a-z-]+):\s*(\S.*)$/.exec(line) ?? []
    return lint && reason ? [[lint, reason.trim()] as const] : []
  })
  return new Map(found)
}

function isNodeWithRange(node: unknown): node is Node {
  return typeof node === 'object' && node !== null && 'range' in node
}

function partPath(part: RulePart): string[] {
  const dot = part.indexOf('.')
  return dot < 0 ? [part] : [part.slice(0, dot), part.slice(dot + 1)]
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? text
}

const otherKinds: readonly (readonly [key: string, what: string])[] = [
  ['route', 'a configuration of Alertmanager'],
  ['receivers', 'a configuration of Alertmanager'],
  ['scrape_configs', 'a configuration of Prometheus'],
  ['rule_files', 'a configuration of Prometheus, or a test file of promtool'],
  ['tests', 'a test file of promtool'],
  ['apiVersion', 'a Kubernetes object, whose spec alone is a rule file'],
]

function otherKind(json: unknown): string | undefined {
  if (json === null || json === undefined) return 'empty'
  if (typeof json !== 'object' || 'groups' in json) return undefined
  return otherKinds.find(([key]) => key in json)?.[1]
}
