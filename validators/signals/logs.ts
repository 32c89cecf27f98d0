import { consistently, eventually } from '../../lib/poll.ts'
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
      run: () => fields(context, service),
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

function fields(context: ScenarioContext, service: Service): Promise<Outcome> {
  const { logs } = service
  const extracted = [...new Set([...logs.fields, 'logger'])].map((field) => `m_${field}=${literal(field)}`).join(', ')
  const lines = `${logs.selector} | json ${extracted} | m_logger!=${literal(logs.processLogger)}`
  const pipeline = `${lines} | label_format whole=${literal(`{{ if and ${logs.fields.map((field) => `(ne .m_${field} "")`).join(' ')} }}yes{{ else }}no{{ end }}`)}`
  return counting(context, pipeline, ['whole', '__error__'], `every line has ${logs.fields.join(', ')}`, (answer) => {
    const total = answer.reduce((sum, { count }) => sum + count, 0)
    const incomplete = answer
      .filter(({ labels }) => labels.whole !== 'yes' || labels.__error__)
      .reduce((sum, { count }) => sum + count, 0)
    const problems = incomplete > 0 ? [`${incomplete} of ${total} lines lack a required field or are no JSON`] : []
    return {
      actual: `${total - incomplete} of ${total} lines are complete`,
      problems,
      empty: total === 0,
      hopeless: incomplete > 0,
    }
  })
}

async function leaks(context: ScenarioContext): Promise<Outcome> {
  const { secrets, backends, window, signal, config } = context
  const selectors = Object.values(config.services).map(({ logs }) => logs.selector)
  const from = window.from - edgeMs
  const ask = async (attempt: AbortSignal): Promise<Finding> => {
    const to = present(context) + edgeMs
    let [lines, hits] = [0, 0]
    for (const selector of selectors) {
      for (const row of await backends.loki.count(selector, [], from, to, attempt)) lines += row.count
      for (const secret of secrets) {
        for (const row of await backends.loki.count(`${selector} |= ${literal(secret)}`, [], from, to, attempt))
          hits += row.count
      }
    }
    return {
      actual: `${hits} of ${lines} lines hold a secret`,
      problems: hits > 0 ? [`${hits} log lines hold one of the ${secrets.length} known secrets`] : [],
      empty: lines === 0,
    }
  }
  // Lines may still be on their way: absence needs the whole window, and the count of lines that proves they arrived.
  const deadline = pipelineDeadline()
  const windowMs = Math.min(3000, deadline.ms)
  const polled = await consistently(ask, ({ problems }) => problems.length === 0, {
    withinMs: windowMs,
    signal,
    isFinal,
    firstPauseMs: 500,
  })
  const outcome = concluded(polled, {
    expected: `none of ${secrets.length} secrets in any line`,
    window,
    query: selectors.map((selector) => `${selector} |= "<secret>"`).join(' ; '),
    deadline: `watched for ${windowMs / 1000} s after the load`,
  })
  return polled.value?.empty && polled.outcome === 'held'
    ? { ...outcome, verdict: 'no-data', reason: 'no log line to look at' }
    : outcome
}
