import { Problems } from '../roll-call/problems.ts'
import { type Edges, placeOf } from './edges.ts'

/** A line or an entry span of a service: of one request. */
export interface Sighting {
  /** Undefined: a line that does not say, which meets no span. */
  readonly traceId: string | undefined
  readonly spanId: string | undefined
  /** When it was written or had ended, epoch milliseconds. */
  readonly at: number
}

/** How many requests one signal tells of. */
export interface Told {
  /** In the period for sure. */
  readonly inside: number
  /** So close to an edge that they may be counted in the period or not. */
  readonly edge: number
  /** Of both, so many while a process was being replaced. */
  readonly gap: number
}

/** What lines and spans of one service tell of a period, and of each other. */
export interface Met {
  readonly logged: Told
  readonly traced: Told
  /** Trace ids of lines for which there is no span, and of spans for which there is no line. */
  readonly untraced: Problems
  readonly unlogged: Problems
  /** Trace ids whose line, or entry span, was written more than once. */
  readonly doubledLines: Problems
  readonly doubledSpans: Problems
}

type Kind = 'lines' | 'spans'
interface Request {
  readonly lines: Once[]
  readonly spans: Once[]
}
interface Once {
  readonly spanId: string | undefined
  at: number
  times: number
}

/** Brings lines and spans together by trace id. Holds some 500 bytes per request. */
export class Meetings {
  readonly #requests = new Map<string, Request>()
  readonly #nameless: number[] = []

  note(kind: Kind, { traceId, spanId, at }: Sighting): void {
    if (traceId === undefined) {
      this.#nameless.push(at)
      return
    }
    let request = this.#requests.get(traceId)
    if (request === undefined) {
      request = { lines: [], spans: [] }
      this.#requests.set(traceId, request)
    }
    const known = request[kind].find((one) => one.spanId === spanId)
    if (known === undefined) request[kind].push({ spanId, at, times: 1 })
    else {
      known.at = Math.min(known.at, at)
      known.times += 1
    }
  }

  /**
   * Judges what lies inside of the edges: its counterpart may lie anywhere.
   * @param raw whether a span that was written twice is read twice
   */
  met(edges: Edges, raw: boolean): Met {
    const [logged, traced] = [new Teller(edges), new Teller(edges)]
    for (const at of this.#nameless) logged.add(at)
    const [untraced, unlogged] = [new Problems(), new Problems()]
    const [doubledLines, doubledSpans] = [new Problems(), new Problems()]
    for (const [id, { lines, spans }] of this.#requests) {
      const inner = { lines: 0, spans: 0 }
      for (const { at, times } of lines) {
        const place = logged.add(at)
        if (place === 'inside') inner.lines += 1
        if (place !== 'outside' && times > 1) doubledLines.add(id)
      }
      for (const { at, times } of spans) {
        const place = traced.add(at)
        if (place === 'inside') inner.spans += 1
        if (place !== 'outside' && times > 1 && raw) doubledSpans.add(id)
      }
      for (let n = spans.length; n < inner.lines; n++) untraced.add(id)
      for (let n = lines.length; n < inner.spans; n++) unlogged.add(id)
    }
    return { logged: logged.told, traced: traced.told, untraced, unlogged, doubledLines, doubledSpans }
  }
}

class Teller {
  readonly #edges: Edges
  #inside = 0
  #edge = 0
  #gap = 0

  constructor(edges: Edges) {
    this.#edges = edges
  }

  add(at: number): ReturnType<typeof placeOf> {
    const place = placeOf(at, this.#edges)
    if (place === 'outside') return place
    if (place === 'inside') this.#inside += 1
    else this.#edge += 1
    if (this.#edges.gaps.some(({ from, by }) => at >= from && at <= by)) this.#gap += 1
    return place
  }

  get told(): Told {
    return { inside: this.#inside, edge: this.#edge, gap: this.#gap }
  }
}
