import type { SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'
import { isScalar, parseDocument, type Scalar, visit } from 'yaml'
import { parsePrometheusDuration } from '../lib/prometheus-duration.ts'

/** `operator`: the files as they stand. `quick`: with shortened times, so that a trial of an alert takes seconds. */
export type StackProfile = 'quick' | 'operator'

/** Whose file it is: a rule file of Prometheus, its own configuration, or Alertmanager's. */
export type ProfiledFile = 'rules' | 'prometheus' | 'alertmanager'

/** A time becomes its `divisor`-th part, but no shorter than `floorMs`; one that is shorter already stays. */
interface Shortening {
  readonly divisor: number
  readonly floorMs: number
}

/** The stated rules of the quick profile. */
const quick = {
  /** Ranges, offsets: 5m is 10s, in which ten scrapes lie. */
  range: { divisor: 30, floorMs: 10_000 },
  /** `for`, `keep_firing_for`: 2m is 3s, 5m is 5s, 10m is 10s. */
  hold: { divisor: 60, floorMs: 3000 },
  /** Scrapes, evaluations, a subquery's steps: 15s is 1s. */
  interval: { divisor: 15, floorMs: 1000 },
  /** `group_wait`: 30s is 1s. */
  groupWait: { divisor: 30, floorMs: 1000 },
  /** `group_interval`: 5m is 2s. `repeat_interval` stays: a run is over before it. */
  groupInterval: { divisor: 150, floorMs: 2000 },
  /** What a gauge is compared with becomes this part: a backlog grows no faster because times are short. */
  thresholds: { webhook_queue_depth: 20 },
} as const

const shortenedKeys: Readonly<Record<ProfiledFile, Readonly<Record<string, Shortening>>>> = {
  rules: { interval: quick.interval, for: quick.hold, keep_firing_for: quick.hold },
  prometheus: {
    scrape_interval: quick.interval,
    scrape_timeout: quick.interval,
    evaluation_interval: quick.interval,
  },
  alertmanager: { group_wait: quick.groupWait, group_interval: quick.groupInterval },
}

/** Below these keys stand the user's own names. */
const foreign: readonly unknown[] = ['labels', 'annotations', 'external_labels', 'receivers', 'static_configs']

/**
 * A configuration file in a profile. The operator's file is the one source; the quick one is derived from it, and says so
 * in its first lines. Names of recorded series stay, also where they name a window, since dashboards and runbooks use
 * them. What cannot be read stays as it is: the backend that reads it says what is wrong.
 * @param source what the derived file is said to come from
 */
export function inProfile(profile: StackProfile, file: ProfiledFile, text: string, source: string): string {
  if (profile === 'operator') return text
  const document = parseDocument(text)
  if (document.errors.length > 0) return text
  const keys = shortenedKeys[file]
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key)) return undefined
      if (foreign.includes(key.value)) return visit.SKIP
      if (!isText(value)) return undefined
      const shortening = keys[String(key.value)]
      if (shortening) value.value = shortened(value.value, shortening)
      else if (file === 'rules' && key.value === 'expr') value.value = quickExpression(value.value)
      return undefined
    },
  })
  const heading = ` The quick profile of ${source}: times and thresholds shortened by stack/profile.ts. Do not edit.`
  document.commentBefore = [heading, document.commentBefore ?? ''].join('\n').trimEnd()
  return document.toString({ lineWidth: 0 })
}

function isText(node: unknown): node is Scalar<string> {
  return isScalar(node) && typeof node.value === 'string'
}

/**
 * A PromQL expression with shorter ranges, offsets and steps, and smaller thresholds of queues. Seconds that are
 * arguments (`predict_linear(x, 3600)`) and durations that are computed (`[5m * 2]`) stay.
 */
function quickExpression(expression: string): string {
  const changes: { readonly from: number; readonly to: number; readonly text: string }[] = []
  const change = (node: SyntaxNode, text: string) => changes.push({ from: node.from, to: node.to, text })
  const tree = parser.parse(expression)
  let sound = true
  tree.iterate({
    enter({ type, node }) {
      if (type.isError) sound = false
      const literal = node.getChild('NumberDurationLiteralInDurationContext')
      if (literal && !isOperand(node)) {
        change(literal, shortened(expression.slice(literal.from, literal.to), shorteningOf(node)))
      }
      if (type.name === 'BinaryExpr') {
        const threshold = comparedThreshold(expression, node)
        if (threshold) change(threshold.literal, threshold.text)
      }
    },
  })
  if (!sound) return expression
  return changes
    .toSorted((a, b) => b.from - a.from)
    .reduce((text, { from, to, text: replacement }) => text.slice(0, from) + replacement + text.slice(to), expression)
}

/** Whether a duration is part of a computed one; a sign computes nothing. */
function isOperand({ name, parent }: SyntaxNode): boolean {
  return parent?.name === name && !parent.getChild('UnaryOp')
}

// The second duration of a subquery is its step.
function shorteningOf(duration: SyntaxNode): Shortening {
  const earlier = duration.prevSibling
  return earlier?.name === 'DurationExpr' ? quick.interval : quick.range
}

/** The number that a gauge of `quick.thresholds` is compared with in this node, and what becomes of it. */
function comparedThreshold(expression: string, comparison: SyntaxNode) {
  if (!['Gtr', 'Gte', 'Lss', 'Lte'].some((operator) => comparison.getChild(operator))) return undefined
  const literal = comparison.getChild('NumberDurationLiteral')
  const value = literal ? Number(expression.slice(literal.from, literal.to)) : Number.NaN
  if (!literal || Number.isNaN(value)) return undefined
  let divisor: number | undefined
  comparison.cursor().iterate(({ name, from, to }) => {
    const metric = expression.slice(from, to)
    if (name === 'Identifier' && isThresholdMetric(metric)) divisor ??= quick.thresholds[metric]
  })
  return divisor === undefined ? undefined : { literal, text: String(value / divisor) }
}

function isThresholdMetric(metric: string): metric is keyof typeof quick.thresholds {
  return Object.hasOwn(quick.thresholds, metric)
}

/** A duration as Prometheus writes it, shortened; anything else as it is. A bare number is seconds, as in PromQL. */
function shortened(text: string, { divisor, floorMs }: Shortening): string {
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : parsePrometheusDuration(text)
  if (ms === undefined) return text
  const short = Math.round(Math.max(ms / divisor, Math.min(ms, floorMs)))
  return short % 1000 === 0 ? `${short / 1000}s` : `${short}ms`
}
