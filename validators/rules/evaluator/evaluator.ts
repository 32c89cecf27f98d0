import { walk } from '../expression.ts'
import type { Aggregation, Binary, Call, Expr, Selector, Subquery } from '../promql.ts'
import { aggregate } from './aggregate.ts'
import { elementFunctions } from './element-functions.ts'
import { histogramQuantile } from './histogram-quantile.ts'
import { calculate, combine, compare, EvaluationError, isComparison, joinVectors, Unsupported } from './operators.ts'
import { nameKeeping, type Point, rangeFunctions } from './range-functions.ts'
import { selects } from './selects.ts'
import { type Labels, labelKey, pickLabels, type Sample, type Series, withoutName } from './series.ts'

/** A recording rule that other expressions read. */
export interface Recording {
  readonly name: string
  readonly expr: Expr
  readonly labels: Labels
}

/** Everything an expression can see. */
export interface World {
  readonly series: readonly Series[]
  /** Distance of samples and of evaluations, in milliseconds; the first of both is at 0. */
  readonly stepMs: number
  readonly recordings: readonly Recording[]
}

interface RangeSeries {
  readonly labels: Labels
  readonly points: readonly Point[]
}

/** Prometheus looks back five minutes for a sample unless told otherwise. */
const lookbackMs = 300_000
/** Relative; the same sum in another order differs by some 1e-16, incidents by 1e-2. */
const tieTolerance = 1e-9

/**
 * Computes PromQL over sampled series as Prometheus does, independently of it, to say what a rule should do. It knows what
 * alerting rules are made of and throws Unsupported for the rest.
 */
export class Evaluator {
  readonly #world: World
  readonly #recorded = new Map<string, readonly Sample[]>()
  readonly #running = new Set<string>()
  readonly #selected = new Map<Selector, readonly Series[]>()
  readonly #inexact = new Map<Expr, boolean>()
  /** True once a comparison was so close that rounding decides it. */
  tie = false
  /** True once a comparison had a number on both sides. */
  compared = false

  constructor(world: World) {
    this.#world = world
  }

  /**
   * The instant vector of an expression.
   * @param at milliseconds
   * @throws Unsupported, EvaluationError
   */
  vector(expr: Expr, at: number): readonly Sample[] {
    const value = this.#value(expr, at)
    if (typeof value === 'number') return [{ labels: {}, value }]
    if (value.length < 2) return value
    const seen = new Set(value.map(({ labels }) => labelKey(labels)))
    if (seen.size < value.length) throw new EvaluationError('two series of the result have the same labels')
    return value
  }

  #value(expr: Expr, at: number): number | readonly Sample[] {
    switch (expr.kind) {
      case 'number':
        return expr.value
      case 'selector':
        return this.#instant(expr, at).map(({ labels, value }) => ({ labels, value }))
      case 'unary':
        return this.#unary(this.#value(expr.of, at), expr.op)
      case 'binary':
        return this.#binary(expr, at)
      case 'aggregation':
        return this.#aggregation(expr, at)
      case 'call':
        return this.#call(expr, at)
      default:
        throw new Unsupported(expr.kind)
    }
  }

  #vectorOf(expr: Expr | undefined, at: number): readonly Sample[] {
    const value = expr ? this.#value(expr, at) : Number.NaN
    if (typeof value === 'number') throw new Unsupported('a scalar where a vector is needed')
    return value
  }

  #scalarOf(expr: Expr | undefined, at: number): number {
    const value = expr ? this.#value(expr, at) : Number.NaN
    if (typeof value !== 'number') throw new Unsupported('a vector where a scalar is needed')
    return value
  }

  #unary(value: number | readonly Sample[], op: '-' | '+'): number | readonly Sample[] {
    if (op === '+') return value
    if (typeof value === 'number') return -value
    return value.map((sample) => ({ labels: withoutName(sample.labels), value: -sample.value }))
  }

  #binary(expr: Binary, at: number): number | readonly Sample[] {
    const { op, bool } = expr
    const left = this.#value(expr.left, at)
    const right = this.#value(expr.right, at)
    const result = (a: number, b: number): number | undefined => {
      if (!isComparison(op)) return calculate(op, a, b)
      this.#notice(expr, a, b)
      const holds = compare(op, a, b)
      return bool ? Number(holds) : holds ? a : undefined
    }
    if (typeof left === 'number' && typeof right === 'number') return result(left, right) ?? Number.NaN
    if (typeof left !== 'number' && typeof right !== 'number') {
      if (op === 'and' || op === 'or' || op === 'unless') return combine(expr, left, right)
      return joinVectors(expr, left, right, result)
    }
    const samples = typeof left === 'number' ? right : left
    if (typeof samples === 'number') throw new Unsupported('two scalars')
    return samples.flatMap(({ labels, value }) => {
      const kept = typeof left === 'number' ? result(left, value) : result(value, this.#number(right))
      if (kept === undefined) return []
      const filters = isComparison(op) && !bool
      return [{ labels: filters ? labels : withoutName(labels), value: filters ? value : kept }]
    })
  }

  #number(value: number | readonly Sample[]): number {
    return typeof value === 'number' ? value : Number.NaN
  }

  #notice(expr: Binary, a: number, b: number): void {
    if (Number.isNaN(a) || Number.isNaN(b)) return
    this.compared = true
    if (Math.abs(a - b) > tieTolerance * Math.max(Math.abs(a), Math.abs(b))) return
    // Nothing divided and added up stays exactly nothing.
    if (a !== b || (a !== 0 && this.#isInexact(expr))) this.tie = true
  }

  /** Whether rounding may have touched what is compared: then an equal value here need not be equal there. */
  #isInexact(expr: Expr): boolean {
    let inexact = this.#inexact.get(expr)
    if (inexact === undefined) {
      inexact = [...walk(expr)].some(
        (part) =>
          (part.kind === 'call' && !exactFunctions.has(part.name)) ||
          (part.kind === 'aggregation' && !exactAggregations.has(part.op)) ||
          (part.kind === 'binary' && ['/', '^', '%', '*'].includes(part.op)) ||
          (part.kind === 'selector' && this.#recordingsOf(part).length > 0),
      )
      this.#inexact.set(expr, inexact)
    }
    return inexact
  }

  #aggregation(expr: Aggregation, at: number): readonly Sample[] {
    const parameter = expr.parameter ? this.#scalarOf(expr.parameter, at) : undefined
    return aggregate(expr, this.#vectorOf(expr.of, at), parameter)
  }

  #call(expr: Call, at: number): number | readonly Sample[] {
    const { name, args } = expr
    const [first, second] = args
    const element = elementFunctions[name]
    if (element) {
      const scalars = args.slice(1).map((one) => this.#scalarOf(one, at))
      return this.#vectorOf(first, at).map(({ labels, value }) => ({
        labels: withoutName(labels),
        value: element(value, scalars),
      }))
    }
    const ranged = rangeFunctions[name]
    if (ranged) return this.#ranged(expr, at, ranged)
    switch (name) {
      case 'time':
        return at / 1000
      case 'pi':
        return Math.PI
      case 'vector':
        return [{ labels: {}, value: this.#scalarOf(first, at) }]
      case 'scalar': {
        const samples = this.#vectorOf(first, at)
        return samples.length === 1 ? (samples[0]?.value ?? Number.NaN) : Number.NaN
      }
      case 'sort':
      case 'sort_desc':
        return this.#vectorOf(first, at)
      case 'timestamp':
        if (first?.kind !== 'selector') throw new Unsupported('timestamp() of anything but a selector')
        return this.#instant(first, at).map(({ labels, t }) => ({ labels: withoutName(labels), value: t / 1000 }))
      case 'absent':
        return this.#vectorOf(first, at).length > 0 ? [] : [{ labels: absentLabels(first), value: 1 }]
      case 'absent_over_time':
        return this.#range(first, at).length > 0 ? [] : [{ labels: absentLabels(first), value: 1 }]
      case 'histogram_quantile':
        return histogramQuantile(this.#scalarOf(first, at), this.#vectorOf(second, at))
      default:
        throw new Unsupported(`${name}()`)
    }
  }

  #ranged({ name, args }: Call, at: number, compute: (typeof rangeFunctions)[string]): readonly Sample[] {
    const source = args.find((one) => one.kind === 'subquery' || (one.kind === 'selector' && one.rangeMs !== undefined))
    if (source?.kind !== 'subquery' && source?.kind !== 'selector') throw new Unsupported(`${name}() without a range`)
    const scalars = args.filter((one) => one !== source).map((one) => this.#scalarOf(one, at))
    const to = at - (source.offsetMs ?? 0)
    const from = to - (source.rangeMs ?? 0)
    return this.#range(source, at).flatMap(({ labels, points }) => {
      const value = compute?.({ points, from, to, scalars, at })
      if (value === undefined) return []
      return [{ labels: nameKeeping.has(name) ? labels : withoutName(labels), value }]
    })
  }

  #range(source: Expr | undefined, at: number): readonly RangeSeries[] {
    if (source?.kind === 'subquery') return this.#subquery(source, at)
    if (source?.kind !== 'selector' || source.rangeMs === undefined) throw new Unsupported('a range that is none')
    const to = at - offsetOf(source)
    const from = to - source.rangeMs
    if (Number.isNaN(from)) throw new Unsupported('a computed range')
    const { stepMs } = this.#world
    const firstIndex = Math.max(0, Math.floor(from / stepMs) + 1)
    const lastIndex = Math.floor(to / stepMs)
    if (this.#recordingsOf(source).length > 0) {
      return gathered(range(firstIndex, lastIndex), stepMs, (index) =>
        this.#recordedAt(source, index).map(({ labels, value }) => ({ labels, value })),
      )
    }
    return this.#select(source).flatMap(({ labels, values }) => {
      const points: Point[] = []
      for (let index = firstIndex; index <= lastIndex; index++) {
        const v = values[index]
        if (v !== undefined) points.push({ t: index * stepMs, v })
      }
      return points.length > 0 ? [{ labels, points }] : []
    })
  }

  #subquery(source: Subquery, at: number): readonly RangeSeries[] {
    const step = source.stepMs ?? this.#world.stepMs
    const to = at - offsetOf(source)
    const from = to - source.rangeMs
    if (!(step > 0) || Number.isNaN(from)) throw new Unsupported('a computed range')
    const indices = range(Math.max(0, Math.floor(from / step) + 1), Math.floor(to / step))
    return gathered(indices, step, (index) => this.vector(source.of, index * step))
  }

  #instant(selector: Selector, at: number): { labels: Labels; value: number; t: number }[] {
    if (selector.rangeMs !== undefined) throw new Unsupported('a range where an instant vector is needed')
    const { stepMs } = this.#world
    const time = at - offsetOf(selector)
    const index = Math.floor(time / stepMs)
    const t = index * stepMs
    if (index < 0 || time - t >= lookbackMs) return []
    if (this.#recordingsOf(selector).length > 0) {
      return this.#recordedAt(selector, index).map(({ labels, value }) => ({ labels, value, t }))
    }
    return this.#select(selector).flatMap(({ labels, values }) => {
      const value = values[index]
      return value === undefined ? [] : [{ labels, value, t }]
    })
  }

  #select(selector: Selector): readonly Series[] {
    let found = this.#selected.get(selector)
    if (!found) {
      found = this.#world.series.filter(({ labels }) => selects(selector, labels))
      this.#selected.set(selector, found)
    }
    return found
  }

  #recordingsOf(selector: Selector): readonly Recording[] {
    return this.#world.recordings.filter(({ name }) => name === selector.metric)
  }

  #recordedAt(selector: Selector, index: number): readonly Sample[] {
    return this.#recordingsOf(selector).flatMap((recording) =>
      this.#record(recording, index).filter(({ labels }) => selects(selector, labels)),
    )
  }

  #record(recording: Recording, index: number): readonly Sample[] {
    const key = `${this.#world.recordings.indexOf(recording)} ${index}`
    const known = this.#recorded.get(key)
    if (known) return known
    if (this.#running.has(key)) throw new Unsupported('a recording rule that reads itself')
    this.#running.add(key)
    const samples = this.vector(recording.expr, index * this.#world.stepMs).map(({ labels, value }) => ({
      labels: { ...labels, ...recording.labels, __name__: recording.name },
      value,
    }))
    this.#running.delete(key)
    this.#recorded.set(key, samples)
    return samples
  }
}

const exactFunctions = new Set([
  ...['min_over_time', 'max_over_time', 'last_over_time', 'first_over_time', 'count_over_time', 'changes', 'resets'],
  ...[
    'abs',
    'ceil',
    'floor',
    'sgn',
    'clamp',
    'clamp_min',
    'clamp_max',
    'vector',
    'scalar',
    'sort',
    'time',
    'timestamp',
  ],
  ...['absent', 'absent_over_time', 'present_over_time'],
])
const exactAggregations = new Set(['min', 'max', 'count', 'group', 'topk', 'bottomk'])

function offsetOf({ offsetMs, pinned }: Selector | Subquery): number {
  if (offsetMs === undefined || pinned) throw new Unsupported('@ or a computed offset')
  return offsetMs
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}

function gathered(
  indices: readonly number[],
  stepMs: number,
  at: (index: number) => readonly Sample[],
): readonly RangeSeries[] {
  const found = new Map<string, { labels: Labels; points: Point[] }>()
  for (const index of indices) {
    for (const { labels, value } of at(index)) {
      const key = labelKey(labels)
      const series = found.get(key) ?? { labels, points: [] }
      series.points.push({ t: index * stepMs, v: value })
      found.set(key, series)
    }
  }
  return [...found.values()]
}

/** absent() takes over what is asked for by `=`, once. */
function absentLabels(expr: Expr | undefined): Labels {
  if (expr?.kind !== 'selector') return {}
  const labels: Record<string, string> = {}
  for (const { label, op, value } of expr.matchers) {
    const once = expr.matchers.filter((other) => other.label === label).length === 1
    if (op === '=' && once && value !== '') labels[label] = value
  }
  return pickLabels(labels, ['__name__'], false)
}
