import { z } from 'zod'
import { parseRegexp, RegexpSyntaxError } from '../lib/regexp-syntax.ts'
import { literal } from './backends/prometheus.ts'

/** What is read of a request line. A duration stands there in one of two units, or as a text with its unit. */
const facts = [
  'trace_id',
  'span_id',
  'level',
  'message',
  'method',
  'route',
  'path',
  'status',
  'duration_ms',
  'duration_s',
  'timestamp',
] as const
export type LogFact = (typeof facts)[number]
/** Told by a line only if the config says under which name: they stand in for `route` and `duration_ms`. */
const unusual: ReadonlySet<LogFact> = new Set(['path', 'duration_s'])
const usualFields = ['timestamp', 'level', 'logger', 'message', 'trace_id', 'span_id']

const fieldName = z.string().regex(/^[A-Za-z_:][\w:]*$/, 'is no name of a field')

const pattern = z.string().superRefine((text, context) => {
  const problem = patternProblem(text)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

/** How a service's request lines are found in Loki and read. */
export const logsSchema = z
  .strictObject({
    selector: z
      .string()
      .regex(/^\{.*\}$/s, 'must be a stream selector like {service_name="gateway"}')
      .describe('A LogQL stream selector.'),
    message: z
      .string()
      .optional()
      .describe(
        'The message of the one line that is written per request or delivery; with a pattern, a text that it holds, if any.',
      ),
    format: z
      .union([
        z.enum(['json', 'logfmt']),
        z.strictObject({
          pattern: pattern.describe('Its groups `(?<trace_id>…)`, `(?<status>…)` and so on tell what stands where.'),
        }),
      ])
      .default('json')
      .describe(
        'One JSON object a line, logfmt (`key=value …`), or a text: then a regular expression, which both Go and JavaScript must know, finds the request lines.',
      ),
    names: z
      .partialRecord(z.enum(facts), z.string().min(1).or(z.literal(false)))
      .default({})
      .describe(
        'Under which name a line tells what muster reads, if not its own; a dot leads inward. False: it does not tell it.',
      ),
    fields: z
      .array(fieldName)
      .optional()
      .describe(
        'Fields that every line written during a request must have; of JSON the usual ones unless told otherwise: timestamp, level, logger, message, trace_id, span_id.',
      ),
    processLogger: z
      .string()
      .or(z.literal(false))
      .optional()
      .describe(
        'The value of the field `logger` on lines outside of requests, of JSON `process` unless told otherwise. False: nothing tells them apart, so that fields are demanded of the lines alone that hold an id of the run.',
      ),
  })
  .superRefine(({ message, format, names }, context) => {
    const issue = (path: string, text: string) => context.addIssue({ code: 'custom', path: [path], message: text })
    if (typeof format === 'object') {
      if (Object.keys(names).length > 0) issue('names', 'has no use beside a pattern: its groups are the names')
    } else if (message === undefined) issue('message', 'is needed: the message of the line that is written per request')
    if (names.trace_id === false) issue('names', 'trace_id cannot be false: without it no line belongs to a request')
  })
  .transform(({ fields, processLogger, ...rest }) => ({
    ...rest,
    fields: fields ?? (rest.format === 'json' ? usualFields : []),
    processLogger: processLogger ?? (rest.format === 'json' ? 'process' : (false as const)),
  }))
export type Logs = z.output<typeof logsSchema>
type Reading = Pick<Logs, 'format' | 'names'>

/** What keeps a regular expression from being used; undefined: nothing. */
function patternProblem(text: string): string | undefined {
  try {
    new RegExp(text)
    parseRegexp(unnamed(text))
  } catch (error) {
    const who = error instanceof RegexpSyntaxError ? 'Go, in which Loki is written' : 'JavaScript'
    return `is no regular expression for ${who}: ${error instanceof Error ? error.message : String(error)}`
  }
  const groups = groupsOf(text)
  const strange = groups.filter((group) => !facts.some((fact) => fact === group))
  if (strange.length > 0) return `has the groups ${strange.join(', ')}; muster reads ${facts.join(', ')}`
  return groups.includes('trace_id')
    ? undefined
    : 'needs a group (?<trace_id>…): without it no line belongs to a request'
}

/** Named groups; what is escaped, or stands in a class, opens none. */
const opening = /\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?<(\w+)>/gs

function groupsOf(text: string): string[] {
  return [...text.matchAll(opening)].flatMap(([, name]) => name ?? [])
}

/** The same expression without names of groups, which Go did not always know in this form. */
function unnamed(text: string): string {
  return text.replaceAll(opening, (whole, name: string | undefined) => (name === undefined ? whole : '(?:'))
}

/** The name under which a line tells a fact; undefined: it does not tell it. */
export function nameOf({ format, names }: Reading, fact: LogFact): string | undefined {
  if (typeof format === 'object') return groupsOf(format.pattern).includes(fact) ? fact : undefined
  const name = names[fact] ?? (unusual.has(fact) ? false : fact)
  return name === false ? undefined : name
}

/** Whether one of these facts can be read off a line. */
export function tells(logs: Reading, ...of: readonly LogFact[]): boolean {
  return of.some((fact) => nameOf(logs, fact) !== undefined)
}

/** The LogQL that finds a service's request lines, and perhaps a few others. */
export function lineQuery({ selector, message, format }: Pick<Logs, 'selector' | 'message' | 'format'>): string {
  const words = message === undefined ? '' : ` |= ${literal(message)}`
  return `${selector}${words}${typeof format === 'object' ? ` |~ ${literal(unnamed(format.pattern))}` : ''}`
}

type Fields = Readonly<Record<string, unknown>>

/** What a line tells, by names of its own; undefined: it is not of this format. */
export function recordOf(text: string, format: Logs['format']): Fields | undefined {
  if (format === 'json') return jsonRecord(text)
  if (format === 'logfmt') return logfmtRecord(text)
  return compiled(format.pattern).exec(text)?.groups
}

/** The value under a name; a dot leads inward where no field has the whole name. */
export function valueAt(record: Fields, name: string): unknown {
  if (name in record) return record[name]
  const [, outer, inner] = /^([^.]*)\.(.*)$/s.exec(name) ?? []
  if (outer === undefined || inner === undefined) return undefined
  const value = record[outer]
  return isRecord(value) ? valueAt(value, inner) : undefined
}

function jsonRecord(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** `key=value key="quoted value"`, in any order; words without a value are passed over. */
function logfmtRecord(text: string): Fields | undefined {
  const record: Record<string, unknown> = {}
  let any = false
  for (const [, key = '', quoted, bare] of text.matchAll(/([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))/gs)) {
    record[key] = quoted === undefined ? bare : unquoted(quoted)
    any = true
  }
  return any ? record : undefined
}

function unquoted(text: string): string {
  return text.replaceAll(/\\(.)/gs, (_, one: string) => ({ n: '\n', t: '\t', r: '\r' })[one] ?? one)
}

const expressions = new Map<string, RegExp>()

/** A line is read for every request: its expression is compiled once. */
function compiled(pattern: string): RegExp {
  const known = expressions.get(pattern) ?? new RegExp(pattern)
  expressions.set(pattern, known)
  return known
}
