import { eventually } from '../../lib/poll.ts'
import { hex8 } from '../../lib/trace-id.ts'
import { isFinal } from '../backends/http.ts'
import { literal } from '../backends/prometheus.ts'
import { type Check, concluded, type Finding, type Outcome } from '../check.ts'
import type { Service } from '../config.ts'
import { pipelineDeadline, present, type ScenarioContext } from '../context.ts'
import { compare, expectedOf, inWords, keyOf, missingLedger, tracePrefixes } from './expected.ts'

/** Clocks of services and of muster may differ this little; ids, not edges, tell whose line it is. */
const edgeMs = 2000

/** Checks on what each service wrote to Loki in a scenario's window. */
export function logsChecks(context: ScenarioContext): Check[] {
  const scenario = context.scenario.name
  const perService = Object.entries(context.config.services).flatMap(([name, service]): Check[] => [
    {
      id: `logs.request-count.${name}`,
      title: `${name} logged exactly the requests it was sent`,
      signal: 'logs',
      scenario,
      run: () => requestCount(context, name, service),
    },
    {
      id: `logs.fields.${name}`,
      title: `${name} writes every required field on every line`,
      signal: 'logs',
      scenario,
      run: () => fields(context, name, service),
    },
  ])
  const { secrets } = context
  if (secrets.length === 0) return perService
  return [
    ...perService,
    {
      id: 'logs.secrets',
      title: 'no log line holds a known secret',
      signal: 'logs',
      scenario,
      run: () => leaks(context),
    },
  ]
}

/** Counts in Loki, never a list of lines: no limit can cut a number. */
async function counting(
  context: ScenarioContext,
  pipeline: string,
  by: readonly string[],
  expected: string,
  examine: (
    rows: readonly { labels: Readonly<Record<string, string>>; count: number }[],
  ) => Finding & { hopeless?: boolean },
): Promise<Outcome> {
  const { loki } = context.backends
  const deadline = pipelineDeadline()
  const from = context.window.from - edgeMs
  const polled = await eventually(
    async (attempt) => examine(await loki.count(pipeline, by, from, present(context) + edgeMs, attempt)),
    (finding) => finding.problems.length === 0 && !finding.empty,
    {
      withinMs: deadline.ms,
      signal: context.signal,
      isFinal,
      firstPauseMs: 150,
      hopeless: (finding: Finding & { hopeless?: boolean }) => finding.hopeless === true,
    },
  )
  const { query, time } = loki.countQuery(pipeline, by, from, context.window.to + deadline.ms)
  return concluded(polled, {
    expected,
    window: context.window,
    query,
    deadline: deadline.words,
    reproduce: loki.client.curl('/loki/api/v1/query', { query, time }),
  })
}

async function requestCount(context: ScenarioContext, name: string, service: Service): Promise<Outcome> {
  const { ledger } = context
  if (!ledger) return missingLedger(context)
  const expectation = expectedOf(ledger, name, service, 'load')
  const http = service.requests.kind === 'http'
  // The run and the scenario are a prefix of the trace id: no other run's lines can be counted.
  const prefixes = tracePrefixes(context.runId, ledger)
  const names = [
    'message="message"',
    'trace="trace_id"',
    ...(http ? ['method="method"', 'route="route"', 'code="status"'] : []),
  ]
  const extracted = names.map((pair) => `m_${pair}`).join(', ')
  const pipeline = `${service.logs.selector} |= ${literal(hex8(context.runId))} | json ${extracted} | m_message=${literal(service.logs.message)} | m_trace=~${literal(`(${prefixes.join('|')}).*`)}`
  return counting(context, pipeline, http ? ['m_method', 'm_route', 'm_code'] : [], inWords(expectation), (answer) => {
    const counted = new Map<string, number>()
    for (const { labels, count } of answer) {
      const key = keyOf(service, labels.m_method ?? '?', labels.m_route ?? '?', labels.m_code ?? '?')
      counted.set(key, (counted.get(key) ?? 0) + count)
    }
    return compare(expectation, counted, 'logged')
  })
}

/** How many request lines the window must hold at least, set-up included: fewer, and lines are still on their way. */
function leastLines(context: ScenarioContext, name: string, service: Service): number {
  if (!context.ledger) return 1
  const { rows } = expectedOf(context.ledger, name, service, 'all')
  return [...rows.values()].reduce((sum, { min }) => sum + min, 0)
}

async function fields(context: ScenarioContext, name: string, service: Service): Promise<Outcome> {
  const { logs } = service
  const least = leastLines(context, name, service)
  const extracted = [...new Set([...logs.fields, 'logger', 'message'])]
  const lines = `${logs.selector} | json ${extracted.map((field) => `m_${field}=${literal(field)}`).join(', ')} | m_logger!=${literal(logs.processLogger)}`
  const whole = `{{ if and ${logs.fields.map((field) => `(ne .m_${field} "")`).join(' ')} }}yes{{ else }}no{{ end }}`
  const pipeline = `${lines} | label_format whole=${literal(whole)}`
  const expected = `every line has ${logs.fields.join(', ')}; at least ${least} request lines`
  return counting(context, pipeline, ['whole', 'm_message', '__error__'], expected, (answer) => {
    const sum = (rows: typeof answer) => rows.reduce((total, { count }) => total + count, 0)
    const total = sum(answer)
    const incomplete = sum(answer.filter(({ labels }) => labels.whole !== 'yes' || labels.__error__))
    const requests = sum(answer.filter(({ labels }) => labels.m_message === logs.message))
    const problems = [
      ...(incomplete > 0 ? [`${incomplete} of ${total} lines lack a required field or are no JSON`] : []),
      ...(requests < least ? [`${requests} of at least ${least} request lines were there to look at`] : []),
    ]
    return {
      actual: `${total - incomplete} of ${total} lines are complete`,
      problems,
      empty: total === 0 && least > 0,
      hopeless: incomplete > 0,
    }
  })
}

async function leaks(context: ScenarioContext): Promise<Outcome> {
  const { secrets, backends, window, signal, config } = context
  const services = Object.entries(config.services)
  const least = services.reduce((sum, [name, service]) => sum + leastLines(context, name, service), 0)
  const from = window.from - edgeMs
  const deadline = pipelineDeadline()
  const ask = async (attempt: AbortSignal): Promise<Finding & { readonly hopeless: boolean }> => {
    const to = present(context) + edgeMs
    const total = async (filterOf: (service: Service) => string) => {
      const pipelines = services.map(([, service]) => `${service.logs.selector} ${filterOf(service)}`)
      // At once: one after the other they would take longer than an attempt may on a busy machine.
      const answers = await Promise.all(
        pipelines.map((pipeline) => backends.loki.count(pipeline, [], from, to, attempt)),
      )
      return answers.flat().reduce((sum, { count }) => sum + count, 0)
    }
    // Absence is proven of lines that are there: the request lines are counted before the secrets are looked for.
    const lines = await total(({ logs }) => `|= ${literal(logs.message)}`)
    const hits = await total(() => `|= ${secrets.map(literal).join(' or ')}`)
    const problems = [
      ...(hits > 0 ? [`${hits} log lines hold one of the ${secrets.length} known secrets`] : []),
      ...(lines < least ? [`${lines} of at least ${least} request lines were there to look at`] : []),
    ]
    const actual = `${hits} lines hold a secret; ${lines} request lines`
    return { actual, problems, empty: lines === 0 && least > 0, hopeless: hits > 0 }
  }
  const polled = await eventually(ask, ({ problems, empty }) => problems.length === 0 && !empty, {
    withinMs: deadline.ms,
    signal,
    isFinal,
    firstPauseMs: 150,
    hopeless: ({ hopeless }) => hopeless,
  })
  return concluded(polled, {
    expected: `none of ${secrets.length} secrets in any line; at least ${least} request lines`,
    window,
    query: services.map(([, { logs }]) => `${logs.selector} |= "<secret>"`).join(' ; '),
    deadline: deadline.words,
  })
}
