import type { Ledger } from '../../lib/ledger.ts'
import { eventually } from '../../lib/poll.ts'
import { hex8 } from '../../lib/trace-id.ts'
import { isFinal } from '../backends/http.ts'
import { literal } from '../backends/prometheus.ts'
import { type Check, concluded, type Finding, type Outcome } from '../check.ts'
import type { Service } from '../config.ts'
import { pipelineDeadline, present, type ScenarioContext } from '../context.ts'
import { logsOf, needFacts, unlessAbsent, whyUnjudged } from '../coverage.ts'
import { lineQuery, nameOf } from '../log-format.ts'
import { answerTimes, type LoggedService, requestLines, toldByLines } from '../roll-call/logged.ts'
import { compare, expectedOf, inWords, leastOf, missingLedger } from './expected.ts'
import { called, findingOf } from './roll-call.ts'

/** Clocks of services and of muster may differ this little; ids, not edges, tell whose line it is. */
const edgeMs = 2000

/** Checks on what each service wrote to Loki in a scenario's window. */
export function logsChecks(context: ScenarioContext): Check[] {
  const scenario = context.scenario.name
  const perService = Object.entries(context.config.services).flatMap(([name, service]) =>
    unlessAbsent(whyUnjudged(context, name, 'logs'), [
      {
        id: `logs.request-count.${name}`,
        title: `${name} logged exactly the requests it was sent`,
        signal: 'logs',
        scenario,
        run: () => requestCount(context, name, service),
      },
      {
        id: `logs.ids.${name}`,
        title: `${name} logged every request once, by id`,
        signal: 'logs',
        scenario,
        run: () => ids(context, name, service),
      },
      ...(service.requests.kind === 'http'
        ? [
            {
              id: `logs.levels.${name}`,
              title: `${name} logs at the level that the status calls for`,
              signal: 'logs' as const,
              scenario,
              run: () => levels(context, name, service),
            },
          ]
        : []),
      {
        id: `logs.fields.${name}`,
        title: `${name} writes every required field on every line`,
        signal: 'logs',
        scenario,
        run: () => fields(context, name, service),
      },
    ] satisfies Check[]),
  )
  const { secrets } = context
  if (secrets.length === 0) return perService
  const unread = Object.keys(context.config.services).map((name) => whyUnjudged(context, name, 'logs'))
  return [
    ...perService,
    ...unlessAbsent(unread.includes(undefined) ? undefined : unread[0], [
      {
        id: 'logs.secrets',
        title: 'no log line holds a known secret',
        signal: 'logs',
        scenario,
        run: () => leaks(context),
      },
    ]),
  ]
}

/** Lines that Loki is to look at in one question; more are asked for in as many slices of the window. */
const linesAtOnce = 20_000

/**
 * Counts in Loki, never a list of lines: no limit can cut a number.
 * @param lines how many lines are to be looked at, about
 */
async function counting(
  context: ScenarioContext,
  pipeline: string,
  lines: number,
  by: readonly string[],
  expected: string,
  examine: (
    rows: readonly { labels: Readonly<Record<string, string>>; count: number }[],
  ) => Finding & { hopeless?: boolean },
): Promise<Outcome> {
  const { loki } = context.backends
  const deadline = pipelineDeadline()
  const from = context.window.from - edgeMs
  const slices = Math.max(1, Math.ceil(lines / linesAtOnce))
  const polled = await eventually(
    async (attempt) => {
      const width = (present(context) + edgeMs - from) / slices
      const edges = Array.from({ length: slices + 1 }, (_, n) => Math.round(from + n * width))
      const answers = await Promise.all(
        edges.slice(1).map((to, n) => loki.count(pipeline, by, edges[n] ?? from, to, attempt, slices > 1)),
      )
      return examine(answers.flat())
    },
    (finding) => finding.problems.length === 0 && !finding.empty,
    {
      withinMs: deadline.ms,
      signal: context.signal,
      isFinal,
      firstPauseMs: 150,
      ...answerTimes(lines),
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

function requestCount(context: ScenarioContext, name: string, service: Service): Promise<Outcome> {
  return asked(context, name, service, (logged, ledger) => {
    const expectation = expectedOf(ledger, name, service, toldByLines(service))
    return { expected: inWords(expectation), finding: compare(expectation, logged.counted, 'logged') }
  })
}

function ids(context: ScenarioContext, name: string, service: Service): Promise<Outcome> {
  return asked(context, name, service, (logged) => ({
    expected: `every request to ${name} is logged once, by id`,
    finding: findingOf(logged.tally, 'logged'),
  }))
}

async function levels(context: ScenarioContext, name: string, service: Service): Promise<Outcome> {
  needFacts(service, 'level')
  needFacts(service, 'status')
  return asked(context, name, service, ({ levels: wrong, lines, tally }) => ({
    expected: 'level error from status 500 on, and only then',
    finding: {
      actual: `${wrong.count} of ${lines} lines have another level`,
      problems: wrong.texts,
      empty: lines === 0 && tally.sent[0] > 0,
    },
  }))
}

/** What was read of a service's request lines; the roll call has waited for them. */
async function asked(
  context: ScenarioContext,
  name: string,
  service: Service,
  examine: (logged: LoggedService, ledger: Ledger) => { expected: string; finding: Finding },
): Promise<Outcome> {
  const { ledger, window } = context
  const { loki } = context.backends
  if (!ledger) return missingLedger(context)
  return called(context, async (rollCall) => {
    const logged = await rollCall.logged(name)
    const { expected, finding } = examine(logged, ledger)
    const pipeline = requestLines(service, context.runId)
    const first = finding.problems.find((text) => /^[0-9a-f]{32}$/.test(text))
    const query = first === undefined ? pipeline : `${logsOf(service).selector} |= ${literal(first)}`
    const range = { start: `${Math.round(window.from)}000000`, end: `${Math.round(window.to + 60_000)}000000` }
    return {
      finding,
      asking: {
        expected,
        query,
        deadline: pipelineDeadline().words,
        reproduce: loki.client.curl('/loki/api/v1/query_range', { query, ...range, limit: 5000 }),
      },
      attempts: logged.attempts,
      elapsedMs: logged.elapsedMs,
      tries: logged.tries,
      lost: logged.tally.missing > 0 ? 'logs' : undefined,
    }
  })
}

/** How many request lines the window must hold at least, set-up included: fewer, and lines are still on their way. */
function leastLines(context: ScenarioContext, name: string, service: Service): number {
  if (!context.ledger) return 1
  return leastOf(expectedOf(context.ledger, name, service))
}

async function fields(context: ScenarioContext, name: string, service: Service): Promise<Outcome> {
  const { format, fields: required } = logsOf(service)
  // Of a text an expression reads the request lines; which other lines should have what, it does not say.
  const presence =
    typeof format === 'object' || required.length === 0
      ? undefined
      : await fieldsPresent(context, name, service, format)
  if (presence !== undefined && presence.verdict !== 'passed') return presence
  // All are there; now what is in them, which takes reading the lines of requests.
  return asked(context, name, service, ({ malformed, lines, tally }) => ({
    expected: presence?.evidence.expected ?? 'every request line tells what it should, in its type',
    finding: {
      actual:
        malformed.count === 0 && presence !== undefined
          ? presence.evidence.actual
          : `${malformed.count} fields of ${lines} lines`,
      problems: malformed.texts,
      empty: lines === 0 && tally.sent[0] > 0,
    },
  }))
}

async function fieldsPresent(
  context: ScenarioContext,
  name: string,
  service: Service,
  format: 'json' | 'logfmt',
): Promise<Outcome> {
  const logs = logsOf(service)
  const least = leastLines(context, name, service)
  const named = nameOf(logs, 'message')
  // To Loki a dot leads inward, which in the line it need not: then every line is counted, and the message is left to others.
  const messageName = named?.includes('.') ? undefined : named
  const extracted = [...new Set([...logs.fields, 'logger', messageName ?? 'message'])]
  const parsed = `${format} ${extracted.map((field) => `${labelOf(field)}=${literal(field)}`).join(', ')}`
  const lines =
    logs.processLogger === false
      ? `${logs.selector} |= ${literal(hex8(context.runId))} | ${parsed}`
      : `${logs.selector} | ${parsed} | m_logger!=${literal(logs.processLogger)}`
  const messageLabel = labelOf(messageName ?? 'message')
  const whole = `{{ if and ${logs.fields.map((field) => `(ne .${labelOf(field)} "")`).join(' ')} }}yes{{ else }}no{{ end }}`
  const pipeline = `${lines} | label_format whole=${literal(whole)}`
  const expected = `every line has ${logs.fields.join(', ')}; at least ${least} request lines`
  return counting(context, pipeline, least, ['whole', messageLabel, '__error__'], expected, (answer) => {
    const sum = (rows: typeof answer) => rows.reduce((total, { count }) => total + count, 0)
    const total = sum(answer)
    const incomplete = sum(answer.filter(({ labels }) => labels.whole !== 'yes' || labels.__error__))
    const requests = sum(
      answer.filter(({ labels }) => messageName === undefined || labels[messageLabel] === logs.message),
    )
    const problems = [
      ...(incomplete > 0
        ? [`${incomplete} of ${total} lines lack a required field or are no ${format === 'json' ? 'JSON' : 'logfmt'}`]
        : []),
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

/** The label that a field is extracted to; apart from those of the stream. */
function labelOf(field: string): string {
  return `m_${field.replaceAll(/\W/g, '_')}`
}

async function leaks(context: ScenarioContext): Promise<Outcome> {
  const { secrets, backends, window, signal, config } = context
  const services = Object.entries(config.services).flatMap(([name, service]) =>
    service.logs === undefined ? [] : [[name, service, service.logs] as const],
  )
  const least = services.reduce((sum, [name, service]) => sum + leastLines(context, name, service), 0)
  const from = window.from - edgeMs
  const deadline = pipelineDeadline()
  const ask = async (attempt: AbortSignal): Promise<Finding & { readonly hopeless: boolean }> => {
    const to = present(context) + edgeMs
    const total = async (queryOf: (logs: ReturnType<typeof logsOf>) => string) => {
      const pipelines = services.map(([, , logs]) => queryOf(logs))
      // At once: one after the other they would take longer than an attempt may on a busy machine.
      const answers = await Promise.all(
        pipelines.map((pipeline) => backends.loki.count(pipeline, [], from, to, attempt)),
      )
      return answers.flat().reduce((sum, { count }) => sum + count, 0)
    }
    // Absence is proven of lines that are there: the request lines are counted before the secrets are looked for.
    const lines = await total(lineQuery)
    const hits = await total(({ selector }) => `${selector} |= ${secrets.map(literal).join(' or ')}`)
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
    ...answerTimes(least),
    hopeless: ({ hopeless }) => hopeless,
  })
  return concluded(polled, {
    expected: `none of ${secrets.length} secrets in any line; at least ${least} request lines`,
    window,
    query: services.map(([, , logs]) => `${logs.selector} |= "<secret>"`).join(' ; '),
    deadline: deadline.words,
  })
}
