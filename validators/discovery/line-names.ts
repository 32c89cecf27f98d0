import { isPathOf } from '../../lib/route.ts'
import { isRecord, type LogFact, type Logs } from '../log-format.ts'

/** A request that was sent once, and what its line may say of it. */
export interface Sent {
  readonly traceId: string
  readonly method: string
  readonly route: string
  /** Without the query. */
  readonly path: string
  readonly status: number
}

/** One line of such a request, read as fields. */
export interface ReadLine {
  readonly fields: Readonly<Record<string, unknown>>
  readonly sent: Sent
}

const hex16 = /^[0-9a-f]{16}$/
const lasts = /duration|elapsed|latency|took|time/i
const withUnit = /^\d+(\.\d+)? ?[nuµμm]?s$/

/** Whether a field looks like a fact: by its value where the request tells it, else by its name. */
const looks: Readonly<Record<Exclude<LogFact, 'message'>, (name: string, value: unknown, sent: Sent) => boolean>> = {
  trace_id: (_, value, { traceId }) => value === traceId,
  span_id: (name, value) => /span.?id$/i.test(name) && typeof value === 'string' && hex16.test(value),
  level: (name, value) => /^(log\.)?(level|severity|lvl|levelname)$/i.test(name) && typeof value === 'string',
  method: (name, value, { method }) => /method$|verb$/i.test(name) && value === method,
  route: (name, value, { route, path }) =>
    typeof value === 'string' &&
    isPathOf(value, route) &&
    (/route|handler|endpoint|template|pattern/i.test(name) || value !== path),
  path: (name, value, { path }) =>
    /path|ur[il]|target|resource/i.test(name) && typeof value === 'string' && value.replace(/[?#].*$/s, '') === path,
  status: (name, value, { status }) => /status|code$/i.test(name) && isNumeric(value) && Number(value) === status,
  duration_ms: (name, value) =>
    lasts.test(name) &&
    (/(ms|millis\w*)$/i.test(name) ? isNumeric(value) : typeof value === 'string' && withUnit.test(value)),
  duration_s: (name, value) => lasts.test(name) && /(_s|seconds?|secs?)$/i.test(name) && isNumeric(value),
  timestamp: (name, value) =>
    /^(@?timestamp|time|ts|date|datetime)$/i.test(name) &&
    typeof value === 'string' &&
    !Number.isNaN(Date.parse(value.replace(/(:\d\d),(\d)/, '$1.$2'))),
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value))
}

/** Guesses under which names all these lines tell what muster reads: `logs.names` of the config, without `message`. */
export function namesOf(lines: readonly ReadLine[]): Logs['names'] {
  const flat = lines.map(({ fields, sent }) => ({ fields: flattened(fields), sent }))
  const candidates = [...(flat[0]?.fields.keys() ?? [])]
  const nameFor = (fact: Exclude<LogFact, 'message'>) => {
    const fitting = candidates.filter((name) =>
      flat.every(({ fields, sent }) => looks[fact](name, fields.get(name), sent)),
    )
    return fitting.find((name) => name === fact) ?? fitting[0]
  }
  const names: Partial<Record<LogFact, string | false>> = {}
  for (const fact of [
    'trace_id',
    'span_id',
    'level',
    'method',
    'route',
    'status',
    'duration_ms',
    'timestamp',
  ] as const) {
    const name = nameFor(fact)
    if (name !== fact) names[fact] = name ?? false
  }
  // Where a template is told a path adds nothing; and one unit is enough.
  for (const [fact, instead] of [
    ['path', 'route'],
    ['duration_s', 'duration_ms'],
  ] as const) {
    const name = names[instead] === false ? nameFor(fact) : undefined
    if (name !== undefined) names[fact] = name
  }
  return names
}

/** Fields of objects under dotted names, two levels deep. */
function flattened(fields: Readonly<Record<string, unknown>>): Map<string, unknown> {
  const flat = new Map<string, unknown>()
  for (const [name, value] of Object.entries(fields)) {
    if (!isRecord(value)) flat.set(name, value)
    else for (const [inner, one] of Object.entries(value)) flat.set(`${name}.${inner}`, one)
  }
  return flat
}
