import { z } from 'zod'
import { UsageError } from '../../lib/errors.ts'

const port = z.coerce.number().int().min(0).max(65_535)
const httpUrl = z.url({ protocol: /^http$/ }).transform((url) => url.replace(/\/+$/, ''))

const common = {
  PORT: port.default(0),
  FAULT_PORT: port.optional(),
  OTLP_URL: httpUrl.optional(),
  /** A Zipkin server: spans go there instead of to the collector. */
  ZIPKIN_URL: httpUrl.optional(),
  /** The share of traces this service samples by its own decision; absent: the caller's flag counts. */
  SAMPLE_RATIO: z.coerce.number().min(0).max(1).optional(),
  SERVICE_NAME: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/)
    .optional(),
  INSTANCE: z.string().min(1).max(100).optional(),
}

/** What each service reads from its environment; every other variable is ignored. */
export const gatewaySettings = z.object({
  ...common,
  /** One or, separated by commas, several instances. */
  TODOS_URL: z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(httpUrl)),
  /** Requests per second and user; beyond it the answer is 429. */
  RATE_LIMIT: z.coerce.number().positive().default(10_000),
  /** Key of the tokens; without it each process makes its own. */
  TOKEN_SECRET: z.string().min(16).optional(),
})
export const todosSettings = z.object({ ...common, DATABASE: z.string().min(1) })
export const webhooksSettings = z.object({
  ...common,
  DATABASE: z.string().min(1),
  SUBSCRIBER_URL: httpUrl.optional(),
})

/** What all services have in common. */
export type CommonSettings = z.infer<z.ZodObject<typeof common>>

/**
 * Reads a service's settings from environment variables; an empty variable counts as unset.
 * Throws a UsageError that names every bad variable, but never its value.
 */
export function readSettings<Schema extends z.ZodType>(
  schema: Schema,
  environment: Readonly<Record<string, string | undefined>>,
): z.infer<Schema> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => {
    const name = path.join('.')
    return given[name] === undefined ? `${name} is not set` : `${name} is not valid (${message})`
  })
  throw new UsageError(`The environment does not fit: ${problems.join('; ')}; set the variables named here.`)
}
