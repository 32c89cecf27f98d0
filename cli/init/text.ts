import { oneLine } from '../../reports/text.ts'
import { isLoopback } from '../../validators/config-values.ts'
import type { Logs } from '../../validators/log-format.ts'
import type { Survey, SurveyedService, SurveyedStep } from './survey.ts'

/** From where generated files import muster: the package's name, or a path to a clone. */
export type ImportPath = (file: string) => string

/** A text as TypeScript writes it, whatever is in it. */
export function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${inner.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`
}

/** Data as TypeScript writes it, on one line. */
function literalOf(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map(literalOf).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, one]) => one !== undefined)
    return entries.length === 0
      ? '{}'
      : `{ ${entries.map(([key, one]) => `${keyOf(key)}: ${literalOf(one)}`).join(', ')} }`
  }
  return JSON.stringify(value ?? null)
}

function keyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name)
}

function comment(text: string): string {
  return `// ${oneLine(text)}`
}

/** The edge of the histograms at which the limit of the p95 can be told: half a second, or the nearest above. */
export function limitOf(services: readonly SurveyedService[]): {
  readonly text: string
  readonly remark: string | undefined
} {
  const edges = services.flatMap(({ job }) => (job?.histogram ? [job.histogram.edges] : []))
  const [first = [], ...others] = edges
  const common = first.filter((edge) => others.every((own) => own.includes(edge)))
  const chosen = common.find((edge) => edge >= 0.5) ?? common.at(-1)
  if (chosen === undefined || chosen === 0.5) return { text: '500ms', remark: undefined }
  return {
    text: `${Math.round(chosen * 1000)}ms`,
    remark: `the histograms have an edge at ${chosen} s, and none at 0.5 s`,
  }
}

/** muster.config.ts. @param scenario the file of the first scenario, beside it */
export function configText(survey: Survey, scenario: string, importPath: ImportPath): string {
  const { baseUrl, backends, services, alertRules, lackedAttributes, remarks } = survey
  const { hostname } = new URL(baseUrl)
  const limit = limitOf(services)
  const named = (['prometheus', 'loki', 'jaeger', 'zipkin', 'alertmanager'] as const).flatMap((name) => {
    const url = backends[name]?.url
    return url === undefined ? [] : [`    ${name}: { url: ${quoted(url)} },`]
  })
  const missing = [
    ...(backends.prometheus
      ? []
      : ["    // prometheus: { url: 'http://…:9090' }, without it nothing of metrics is judged"]),
    ...(backends.loki ? [] : ["    // loki: { url: 'http://…:3100' }, without it nothing of logs is judged"]),
    ...(backends.jaeger || backends.zipkin
      ? []
      : ["    // jaeger: { url: 'http://…:16686' }, or zipkin; without either nothing of traces is judged"]),
  ]
  const sent = survey.steps.filter(({ obstacle }) => obstacle === undefined).map(({ route }) => route)
  const required = serverAttributesBut(lackedAttributes)
  return [
    `import { defineConfig } from ${quoted(importPath('validators/config.ts'))}`,
    '',
    '// Written by muster init from what it found when it sent each request once. Every line is yours to change;',
    '// `muster doctor` explains what is missing.',
    ...remarks.map((text) => comment(`Found: ${text}.`)),
    'export default defineConfig({',
    isLoopback(baseUrl)
      ? `  target: { url: ${quoted(baseUrl)} },`
      : `  // Load off loopback must be allowed by name: put ${quoted(hostname)} into allow if it is yours to load.\n  target: { url: ${quoted(baseUrl)}, allow: [], maxRate: 20 },`,
    "  // Credentials: auth: { type: 'bearer', tokenEnv: 'NAME_OF_A_VARIABLE' } beside a url.",
    '  backends: {',
    ...named,
    ...missing,
    '  },',
    '',
    '  // What each service promises; a step names the services that it must touch.',
    '  services: {',
    ...services.flatMap((service) => serviceLines(service, sent)),
    '  },',
    '',
    `  scenarios: [${quoted(scenario)}],`,
    '  // What users may expect, as k6 measures it.',
    "  thresholds: { http_req_failed: ['rate<0.01'], http_req_duration: ['p(95)<500'] },",
    ...(limit.remark === undefined ? [] : [`  ${comment(limit.remark)}`]),
    `  server: { p95: ${quoted(limit.text)}, errorRatio: 0.01 },`,
    ...(lackedAttributes.length === 0
      ? []
      : [
          `  ${comment(`OpenTelemetry's conventions require ${lackedAttributes.join(', ')}, too, which the spans do not have`)}`,
          `  traces: { required: { server: ${literalOf(required)} } },`,
        ]),
    ...alertLines(alertRules),
    '})',
    '',
  ].join('\n')
}

function serverAttributesBut(lacked: readonly string[]): string[] {
  return ['http.request.method', 'http.route', 'http.response.status_code'].filter((name) => !lacked.includes(name))
}

/** @param sent routes of the journey, which are judged whatever their names are */
function serviceLines({ name, job, logs, traced, remarks }: SurveyedService, sent: readonly string[]): string[] {
  const { counter, histogram } = job ?? {}
  const ignore = (counter?.ignore ?? []).filter((route) => !sent.includes(route))
  const requests = counter && {
    kind: 'http',
    metric: counter.metric,
    route: counter.route,
    method: counter.method,
    status: counter.status,
    ignore: counter.route === false || ignore.length === 0 ? undefined : ignore,
  }
  return [
    `    ${keyOf(name)}: {`,
    ...remarks.map((text) => `      ${comment(text)}`),
    ...(job === undefined ? [] : [`      job: ${quoted(job.job)},`]),
    ...(requests === undefined ? [] : [`      requests: ${literalOf(requests)},`]),
    ...(histogram === undefined ? [] : [`      duration: ${quoted(histogram.metric)},`]),
    ...(logs?.logs === undefined ? [] : logLines(logs.logs, logs.untold)),
    ...(traced === undefined ? [] : [`      traces: { service: ${quoted(traced)} },`]),
    '    },',
  ]
}

/** Names and expressions are guesses from a few lines, and say so. */
function logLines(logs: Logs, untold: readonly string[]): string[] {
  const { selector, message, format, names, fields, processLogger } = logs
  const lines = [`        selector: ${quoted(selector)},`]
  if (message !== undefined) lines.push(`        message: ${quoted(message)},`)
  if (typeof format === 'object')
    lines.push(
      '        // A guess: it read each line of the requests that were sent, and no others. Its groups name what it tells.',
      `        format: { pattern: ${quoted(format.pattern)} },`,
    )
  else if (format !== 'json') lines.push(`        format: ${quoted(format)},`)
  if (Object.keys(names).length > 0)
    lines.push(
      '        // A guess by names and values; false: no line tells it.',
      `        names: ${literalOf(names)},`,
    )
  if (typeof format !== 'object') lines.push(`        fields: ${literalOf(fields)},`)
  if (format === 'json' && processLogger === false)
    lines.push('        // Nothing tells lines outside of requests apart.', '        processLogger: false,')
  const lacks =
    untold.length === 0
      ? []
      : [`      ${comment(`Its lines do not tell ${untold.join(', ')}: what rests on it is skipped.`)}`]
  return [...lacks, '      logs: {', ...lines, '      },']
}

function alertLines(rules: readonly string[]): string[] {
  const [first] = rules
  if (first === undefined) return []
  const shown = rules.slice(0, 10)
  return [
    '',
    `  ${comment(`Prometheus has ${rules.length} alerting rules: ${shown.join(', ')}${rules.length > shown.length ? ', …' : ''}.`)}`,
    '  // A trial proves that one fires, reaches whom it should, and resolves; it needs a fault, and sinkPort:',
    `  // alerts: [{ name: 'errors', load: { scenario: 'first.ts' }, fault: { kind: 'call', … }, expect: [{ alert: ${oneLine(quoted(first))} }] }],`,
  ]
}

/** The first journey and its scenario. */
export function journeyText(survey: Survey, importPath: ImportPath): string {
  const { steps, headers } = survey
  const sent = Object.entries(headers).map(([name, variable]) => `${keyOf(name)}: __ENV.${variable} ?? ''`)
  const withHeaders = sent.length > 0
  const enabled = steps.filter(({ obstacle }) => obstacle === undefined)
  const functions = [...new Set(enabled.map(({ method }) => functionOf(method)))].sort()
  return [
    `import { ${[...functions, 'journey'].sort().join(', ')} } from ${quoted(importPath('lib/journey.ts'))}`,
    `import { scenario } from ${quoted(importPath('lib/scenario.ts'))}`,
    '',
    '// A step: method, route, the status that is right, and every service that must count, log and trace it.',
    'const first = journey(',
    "  'first',",
    '  {',
    ...steps.flatMap(declaration),
    '  },',
    '  // What one virtual user does: ordinary code, which can send declared steps alone.',
    '  (visit) => {',
    ...(withHeaders ? [`    const headers = { ${sent.join(', ')} }`] : []),
    ...steps.map((step) => sending(step, withHeaders)),
    '  },',
    ')',
    '',
    "export default scenario('first', { profile: 'smoke', rate: 5, duration: '10s', journeys: [{ journey: first, share: 1 }] })",
    '',
  ].join('\n')
}

function functionOf(method: SurveyedStep['method']): string {
  return method === 'DELETE' ? 'del' : method.toLowerCase()
}

function declaration({ name, method, route, status, services, obstacle }: SurveyedStep): string[] {
  const line = `${keyOf(name)}: ${functionOf(method)}(${quoted(route)}, ${status}, ${literalOf(services)}),`
  if (obstacle === undefined) return [`    ${line}`]
  return [`    ${comment(`${obstacle}:`)}`, `    // ${line}`]
}

function sending({ name, parameters, query, body, obstacle }: SurveyedStep, withHeaders: boolean): string {
  const input = {
    ...parameters,
    ...(Object.keys(query).length === 0 ? {} : { query }),
    ...(body === undefined ? {} : { body }),
  }
  const literal = literalOf(input)
  const full = withHeaders ? (literal === '{}' ? '{ headers }' : literal.replace(/ \}$/, ', headers }')) : literal
  const call = `visit.${name}(${full === '{}' ? '' : full})`
  return obstacle === undefined ? `    ${call}` : `    // ${call}`
}
