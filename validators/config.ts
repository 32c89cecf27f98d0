import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import { parseDuration } from '../lib/duration.ts'
import { UsageError } from '../lib/errors.ts'
import { linkPlaces } from '../lib/links.ts'
import { nearest } from '../lib/nearest.ts'
import { parseThresholds } from '../lib/threshold.ts'
import { acceptedEntry } from './accepted.ts'
import { type Trial, trial } from './alerts/expectation.ts'
import { settingsAt } from './config-keys.ts'
import { duration, httpUrl, isLoopback, variable } from './config-values.ts'
import { logsSchema } from './log-format.ts'
import { slosSchema } from './slo/slo.ts'

const name = z.string().regex(/^[A-Za-z_:][\w:]*$/, 'is no Prometheus name')

const auth = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('basic'),
    usernameEnv: variable.describe('The variable with the user name.'),
    passwordEnv: variable.describe('The variable with the password.'),
  }),
  z.strictObject({ type: z.literal('bearer'), tokenEnv: variable.describe('The variable with the token.') }),
  z.strictObject({
    type: z.literal('header'),
    name: z
      .string()
      .regex(/^[\w-]+$/)
      .describe('The name of the header.'),
    valueEnv: variable.describe('The variable with its value.'),
  }),
])

const endpointShape = z.strictObject({
  url: httpUrl.describe('Its base URL, with the path of a proxy if there is one.'),
  auth: auth.optional().describe('How muster says who it is; secrets stay in environment variables.'),
  caFile: z.string().optional().describe('A PEM file with the certificate authority to trust.'),
  tenant: z.string().optional().describe('Sent as X-Scope-OrgID.'),
  timeout: duration.default('5s').describe('For one answer.'),
  ui: z
    .boolean()
    .default(true)
    .describe('False if the backend was built without its web pages: then evidence links to none.'),
})
const inMilliseconds = <T extends { timeout: string }>({ timeout, ...rest }: T) => ({
  ...rest,
  timeoutMs: parseDuration(timeout) ?? 5000,
})
const endpoint = endpointShape.transform(inMilliseconds)
const jaegerEndpoint = endpointShape
  .extend({
    grpc: z
      .string()
      .regex(/^([\w.-]+|\[[\da-fA-F:]+\]):\d{1,5}$/, 'must be host:port, without a scheme')
      .optional()
      .describe('host:port of its query API over gRPC, the cheaper road to many traces; absent: HTTP alone.'),
    limit: z
      .number()
      .int()
      .positive()
      .default(10_000)
      .describe(
        'Traces that its storage lets one search by gRPC find; few wide searches cost it less than many narrow ones.',
      ),
  })
  .transform(inMilliseconds)
/** How one backend is reached. */
export type Endpoint = z.output<typeof endpoint>
export type JaegerEndpoint = z.output<typeof jaegerEndpoint>

const backends = z
  .strictObject({
    prometheus: endpoint.optional().describe('Counters, histograms, rules and alerts are read from it.'),
    loki: endpoint.optional().describe('Log lines are read from it.'),
    alertmanager: endpoint
      .optional()
      .describe('Alerts, groups and silences are read from it; synthetic alerts are posted to it.'),
    jaeger: jaegerEndpoint.optional().describe('Where traces are read from: this, `zipkin`, or neither.'),
    zipkin: endpoint.optional().describe('The other source of traces.'),
  })
  .refine(({ jaeger, zipkin }) => jaeger === undefined || zipkin === undefined, {
    error: 'must name one source of traces, either jaeger or zipkin',
  })
/** How all backends are reached; what an absent one would tell is skipped, with that as the reason. */
export type BackendEndpoints = z.output<typeof backends>

const label = name.or(z.literal(false))
const labelOf = (what: string) =>
  `The label with the ${what}; false: it has none, so that what it would tell apart is counted together.`

const port = z.number().int().min(1).max(65_535)

const service = z.strictObject({
  job: z
    .string()
    .min(1)
    .optional()
    .describe("Prometheus' job label; absent: it is not scraped, and nothing of its metrics is judged."),
  requests: z
    .discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('http'),
        metric: name.optional().describe('The counter; absent: its requests are not counted.'),
        route: label.default('route').describe(labelOf('route template')),
        method: label.default('method').describe(labelOf('method')),
        status: label.default('status').describe(labelOf('status')),
        ignore: z
          .array(z.string())
          .optional()
          .describe("Routes that are counted, but belong to nobody's journey: scrapes, probes of health."),
      }),
      z.strictObject({
        kind: z.literal('queue'),
        metric: name.describe('The counter of deliveries.'),
        matchers: z.record(name, z.string()).default({}).describe('Label values of those deliveries that succeeded.'),
      }),
    ])
    .prefault({ kind: 'http' })
    .describe(
      'How the service counts what it handled: by route, method and status, or, for a consumer of a queue, as a total.',
    ),
  duration: name.optional().describe('The name of its duration histogram, without `_bucket`, in seconds.'),
  series: z.array(name).default([]).describe('Further series that must exist during the run.'),
  logs: logsSchema.optional().describe('How its lines are found in Loki; absent: nothing of its logs is judged.'),
  traces: z
    .strictObject({ service: z.string().describe('The attribute `service.name` of its spans.') })
    .optional()
    .describe('How its spans are found; absent: it has none.'),
  faultUrl: httpUrl
    .optional()
    .describe('Where the service grants leases on faults; on loopback, or on a host of `target.allow`.'),
})
export type Service = z.output<typeof service>

const attributes = z.array(z.string())
const of = (kind: string) => `Of every ${kind} span.`
const traces = z.strictObject({
  skew: duration
    .default('250ms')
    .describe("How far a span may lie outside its parent: as far as the machines' clocks may differ."),
  required: z
    .strictObject({
      server: attributes
        .default(['http.request.method', 'http.route', 'http.response.status_code'])
        .describe(of('server')),
      client: attributes.default([]).describe(of('client')),
      producer: attributes.default(['messaging.destination.name']).describe(of('producer')),
      consumer: attributes.default(['messaging.destination.name']).describe(of('consumer')),
      internal: attributes.default([]).describe(of('internal')),
    })
    .prefault({})
    .describe(
      "Attributes that spans must have, by kind; what OpenTelemetry's conventions require unless told otherwise.",
    ),
  sampling: z
    .discriminatedUnion('by', [
      z
        .strictObject({ by: z.literal('service'), share: z.number().gt(0).max(1).describe('Of all requests.') })
        .describe('the first service, by chance.'),
      z
        .strictObject({
          by: z.literal('tail'),
          share: z.number().min(0).max(1).describe('Of what belongs to no kept class.'),
          errors: z.boolean().default(true).describe('True if every trace with an error is kept.'),
          slowerThan: duration.optional().describe('Every trace that lasts longer is kept.'),
        })
        .describe('a collector, once it has seen the trace.'),
    ])
    .optional()
    .describe('Who decides what is traced; absent: the caller, whose decision every service keeps.'),
})

const freshness = z.strictObject({
  sentinel: z
    .string()
    .describe('A module that default-exports a sentinel: the requests that muster itself sends while the load runs.'),
  rate: z.number().min(1).max(5).default(2).describe('Requests per second.'),
  p95: z
    .strictObject({
      metrics: duration.describe('Until the end of the first scrape after it.'),
      logs: duration.describe('Until its lines are found.'),
      traces: duration.describe('Until its spans are found.'),
    })
    .describe('At the 95th percentile, from the answer to being found.'),
})

const linkTemplate = z.string().superRefine((text, context) => {
  const places = [...text.matchAll(/\{(\w+)\}/g)].flatMap(([, place]) => place ?? [])
  const unknown = places.filter((place) => !linkPlaces.some((known) => known === place))
  for (const place of unknown)
    context.addIssue({
      code: 'custom',
      message: `{${place}} is no place in a link: there are ${linkPlaces.join(', ')}`,
    })
  if (!/^https?:\/\//.test(text)) context.addIssue({ code: 'custom', message: 'must begin with http:// or https://' })
  if (/^https?:\/\/[^/]*@/.test(text))
    context.addIssue({ code: 'custom', message: 'must hold no credentials: they would stand in every report' })
})

const thresholds = z.record(z.string(), z.array(z.string())).superRefine((record, context) => {
  for (const problem of parseThresholds(record).problems) context.addIssue({ code: 'custom', message: problem })
})

const scenario = z.union([
  z.string().transform((file) => ({ file, rate: undefined, duration: undefined, thresholds: {} })),
  z.strictObject({
    file: z.string().describe('The module that default-exports the scenario.'),
    rate: z.number().positive().optional().describe('Iterations per second at the highest.'),
    duration: duration.optional().describe('How long it lasts.'),
    thresholds: thresholds
      .default({})
      .describe('For this scenario alone; tags such as `{phase:recovery}` or `{step:login}` narrow them.'),
  }),
])

const instead = (what: string) => `A file instead of stack/config/${what}.`
const stack = z.strictObject({
  profile: z
    .enum(['quick', 'operator'])
    .default('quick')
    .describe('`operator`: rules, scrapes and waiting times as the files say; `quick`: shortened by stack/profile.ts.'),
  rules: z.string().optional().describe('A file instead of those in stack/config/rules/.'),
  alertmanager: z.string().optional().describe(instead('alertmanager.yml')),
  collector: z.string().optional().describe(instead('collector.yml')),
  loki: z.string().optional().describe(instead('loki.yml')),
  prometheus: z.string().optional().describe(instead('prometheus.yml')),
  instances: z
    .strictObject({
      todos: z.number().int().min(1).max(8).optional().describe('From 1 to 8; 1 unless told otherwise.'),
    })
    .optional()
    .describe('Processes of a service, to which the gateway sends in turn.'),
  sampling: z
    .partialRecord(z.enum(['gateway', 'todos', 'webhooks']), z.number().min(0).max(1))
    .optional()
    .describe('The share of traces that a service samples by its own decision; the services behind it follow.'),
  zipkinUrl: httpUrl
    .optional()
    .describe('A Zipkin server that the sample services send their spans to; for trying `backends.zipkin`.'),
})

const schema = z
  .strictObject({
    target: z
      .strictObject({
        url: httpUrl.describe('The base URL that routes are appended to.'),
        allow: z.array(z.string()).default([]).describe('Host names off loopback that may be loaded.'),
        maxRate: z
          .number()
          .positive()
          .default(50)
          .describe('Iterations per second that no scenario may exceed off loopback.'),
      })
      .optional()
      .describe("Where load goes; absent: the sample gateway of muster's own stack."),
    backends: backends.optional().describe("The user's own backends; absent: muster's stack."),
    stack: stack.prefault({}).describe("Muster's own stack, if not as it comes."),
    services: z
      .record(z.string(), service)
      .refine((all) => Object.keys(all).length > 0, 'name at least one service')
      .describe('The services that journeys name, and what each promises of its telemetry.'),
    scenarios: z
      .array(scenario)
      .min(1, 'name at least one scenario file')
      .describe('What is driven, in this order: the path of a scenario, or the path with sizes of its own.'),
    thresholds: thresholds.default({}).describe("k6's thresholds by metric, applied to every scenario."),
    maxDropped: z.number().int().min(0).default(0).describe('Largest number of dropped iterations per scenario.'),
    server: z
      .strictObject({
        p95: duration.default('500ms').describe('Of its duration histogram.'),
        errorRatio: z.number().min(0).max(1).default(0.01).describe('The share of its answers from status 500 on.'),
      })
      .prefault({})
      .describe('Limits on what the services say of themselves.'),
    traces: traces.prefault({}).describe('What holds for all traces.'),
    freshness: freshness
      .optional()
      .describe(
        'How soon a request must be found in each signal; absent: not measured, and muster sends nothing besides k6.',
      ),
    secrets: z
      .array(
        z.string().regex(/^(literal:.+|[A-Za-z_]\w*)$/, 'must be the name of an environment variable, or literal:…'),
      )
      .default([])
      .describe(
        'Texts that no log line may hold, each the value of an environment variable or written `literal:…` for test data.',
      ),
    links: z
      .strictObject({
        trace: linkTemplate.optional().describe('Of a trace.'),
        logs: linkTemplate.optional().describe('Of the lines that a check asked for.'),
        graph: linkTemplate.optional().describe('Of a query to Prometheus.'),
      })
      .prefault({})
      .describe(
        "Addresses of the pages where a failure is looked into, such as those of Jaeger and of Grafana's Explore.",
      ),
    queries: z
      .number()
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe('Queries under way at once, over all backends: asking must not disturb what is asked.'),
    reporters: z
      .array(z.string().min(1))
      .optional()
      .describe(
        'Who is told besides the files of the report folder, as for `--reporter`; paths are relative to the config.',
      ),
    accepted: z
      .array(acceptedEntry)
      .default([])
      .describe(
        'Failures that somebody answers for until a day; each is counted and shown, and fails once it is expired or not needed.',
      ),
    alerts: z.array(trial).default([]).describe('Trials: faults, and what must come of each.'),
    slos: slosSchema
      .default([])
      .describe('Service level objectives, which `muster slo` makes rules of and whose recorded figures a run judges.'),
    sinkPort: port
      .optional()
      .describe(
        "The loopback port at which your own Alertmanager's receivers find muster: `http://127.0.0.1:<port>/slack/<name>`, and so on for each integration.",
      ),
    sinkSmtpPort: port
      .optional()
      .describe(
        'The loopback port at which its mails find muster, with STARTTLS and AUTH; absent: no mail is received.',
      ),
    sinkSmtpsPort: port.optional().describe('The same with TLS from the first byte, for `force_implicit_tls`.'),
  })
  .superRefine((config, context) => {
    for (const issue of trialIssues(config)) context.addIssue({ code: 'custom', ...issue })
    if (config.backends && !config.target) {
      context.addIssue({
        code: 'custom',
        path: ['target'],
        message: 'is needed with your own backends: name the URL to load',
      })
    }
    for (const issue of backendIssues(config)) context.addIssue({ code: 'custom', ...issue })
    if (config.backends && config.alerts.length > 0 && config.sinkPort === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['sinkPort'],
        message: 'is needed with alerts and your own Alertmanager: the port its receivers post to',
      })
    }
  })

/** What the config demands of backends that it does not name. */
function backendIssues(config: {
  readonly backends?: BackendEndpoints | undefined
  readonly alerts: readonly unknown[]
  readonly slos: readonly unknown[]
  readonly thresholds: object
  readonly scenarios: readonly { readonly thresholds: object }[]
}): { path: string[]; message: string }[] {
  const { backends, alerts, slos, thresholds, scenarios } = config
  if (backends === undefined) return []
  const { prometheus, alertmanager } = backends
  const limits = [thresholds, ...scenarios.map((one) => one.thresholds)]
  const issues: [boolean, string, string][] = [
    [
      Object.values(backends).every((one) => one === undefined) &&
        limits.every((record) => Object.keys(record).length === 0),
      'backends',
      'names no backend, and there is no threshold either: nothing would be judged; name a backend, or thresholds such as http_req_failed',
    ],
    [
      alerts.length > 0 && (!prometheus || !alertmanager),
      'alerts',
      'needs backends.prometheus and backends.alertmanager',
    ],
    [slos.length > 0 && !prometheus, 'slos', 'needs backends.prometheus'],
  ]
  return issues.flatMap(([wrong, path, message]) => (wrong ? [{ path: [path], message }] : []))
}

/** What is wrong with faults and trials in the light of the rest of the config. */
function trialIssues(config: {
  readonly alerts: readonly Trial[]
  readonly services: Readonly<Record<string, Service>>
  readonly target?: { readonly allow: readonly string[] } | undefined
}): { path: (string | number)[]; message: string }[] {
  const allowed = (url: string) => isLoopback(url) || config.target?.allow.includes(new URL(url).hostname)
  const message = 'is neither on loopback nor on a host of target.allow: add the host there if it is yours'
  const astray = Object.entries(config.services).flatMap(([service, { faultUrl }]) =>
    faultUrl === undefined || allowed(faultUrl) ? [] : [{ path: ['services', service, 'faultUrl'], message }],
  )
  const issues = config.alerts.flatMap(({ name, fault }, index) => {
    const path = ['alerts', index]
    if (config.alerts.findIndex((other) => other.name === name) !== index)
      return [{ path: [...path, 'name'], message: `"${name}" is the name of another trial` }]
    if (fault.kind === 'service' && !config.services[fault.service])
      return [{ path: [...path, 'fault', 'service'], message: `"${fault.service}" is not among services` }]
    if (fault.kind !== 'call') return []
    return (['call', 'lift'] as const).flatMap((key) =>
      allowed(fault[key].url) ? [] : [{ path: [...path, 'fault', key, 'url'], message }],
    )
  })
  return [...astray, ...issues]
}

/** All settings; the reference of the config is made of it. */
export { schema as configSchema }

export type ConfigInput = z.input<typeof schema>
export type ParsedConfig = z.output<typeof schema>
/** A parsed config and where it stands; paths in it are relative to that folder. */
export interface Config extends ParsedConfig {
  readonly file: string
  readonly folder: string
}

/** Gives a config its type; returns it as it is. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config
}

const names = ['muster.config.ts', 'muster.config.js', 'muster.config.yaml', 'muster.config.yml']

/**
 * Reads the config named, or the nearest one upward from `from`.
 * @throws UsageError with every problem and its path
 */
export async function loadConfig(named: string | undefined, from: string): Promise<Config> {
  const file = named ? resolve(from, named) : findUpward(from)
  if (!file)
    throw new UsageError(
      `No ${names[0]} (or .yaml) in ${from} or above: have muster init write one, or name yours with --config.`,
    )
  if (!existsSync(file)) throw new UsageError(`The config ${file} does not exist: check --config.`)
  if (!/\.([cm]?[jt]s|ya?ml)$/.test(file))
    throw new UsageError(
      `The config ${file} is neither TypeScript (.ts), JavaScript (.js) nor YAML (.yaml): rename it.`,
    )
  const raw = await read(file)
  return { ...parseConfig(raw, file), file, folder: dirname(file) }
}

/** @throws UsageError with every problem and its path */
export function parseConfig(raw: unknown, file: string): ParsedConfig {
  const parsed = schema.safeParse(raw)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.flatMap((issue) => {
    const path = issue.path.join('.') || '(top)'
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => {
        const close = nearest(key, settingsAt(schema, issue.path))
        const remedy = close === undefined ? '; take it out' : `; did you mean ${close}?`
        return `  ${[...issue.path, key].join('.')}: is no setting of muster${remedy}`
      })
    return [`  ${path}: ${issue.message}`]
  })
  throw new UsageError(
    `${file} has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${problems.join('\n')}`,
  )
}

async function read(file: string): Promise<unknown> {
  try {
    if (/\.ya?ml$/.test(file)) return parse(await readFile(file, 'utf8'))
    const module: { default?: unknown } = await import(pathToFileURL(file).href)
    return module.default
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function findUpward(from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const found = names.map((candidate) => join(folder, candidate)).find((candidate) => existsSync(candidate))
    if (found) return found
    if (folder === dirname(folder)) return undefined
  }
}

/** The config as reports may show it: texts that are secrets are left out, all others are names of variables. */
export function publicConfig(config: Config): unknown {
  return { ...config, secrets: config.secrets.map((entry) => (entry.startsWith('literal:') ? 'literal:…' : entry)) }
}

/** The texts behind `secrets`; never printed. @throws UsageError if a variable is not set */
export function secretTexts(config: ParsedConfig): string[] {
  return config.secrets.map((entry) => {
    if (entry.startsWith('literal:')) return entry.slice('literal:'.length)
    const value = process.env[entry]
    if (value) return value
    throw new UsageError(
      `secrets names the environment variable ${entry}, which is not set: export it, or take it out.`,
    )
  })
}

/** Refuses load off loopback unless the config allows it by name. @throws UsageError */
export function assertTargetAllowed(
  target: { url: string; allow: readonly string[]; maxRate: number },
  peakRate: number,
): void {
  const { hostname } = new URL(target.url)
  if (isLoopback(target.url)) return
  if (!target.allow.includes(hostname)) {
    throw new UsageError(
      `Load on ${hostname} is not allowed: it is not loopback; add it to target.allow in the config if it is yours to load.`,
    )
  }
  if (peakRate > target.maxRate) {
    throw new UsageError(
      `A scenario reaches ${peakRate} iterations/s on ${hostname}, above target.maxRate ${target.maxRate}: raise that, or lower the scenario's rate.`,
    )
  }
}
