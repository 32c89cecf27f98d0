import axios from 'axios'
import { z } from 'zod'
import { eventually } from '../../lib/poll.ts'
import type { Window } from '../../lib/verdict.ts'
import { isFinal } from '../backends/http.ts'
import { type Check, concluded, type Finding } from '../check.ts'
import type { RunContext } from '../context.ts'
import type { Trial } from './expectation.ts'
import { alertWords } from './timeline.ts'

const leases = z.array(z.object({ id: z.union([z.string(), z.number()]), fault: z.string() }))
const http = axios.create({ timeout: 3000, proxy: false })

/** What a trial may leave behind, each in words. */
export type AlertState = readonly string[]

/**
 * Active alerts, rules that are not inactive, silences, and leases on faults.
 * @param faultUrls fault ports by service
 * @throws BackendError, or an Error for a fault port that does not answer
 */
export async function alertState(
  { backends: { prometheus, alertmanager } }: Pick<RunContext, 'backends'>,
  faultUrls: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<AlertState> {
  const [rules, alerts, silences, ...leased] = await Promise.all([
    prometheus.rules(signal),
    alertmanager.alerts(signal),
    alertmanager.silences(signal),
    ...Object.entries(faultUrls).map(async ([service, url]) => {
      const { data } = await http.get<unknown>(`${url.replace(/\/+$/, '')}/leases`, { signal })
      return leases.parse(data).map(({ id, fault }) => `the fault ${fault} (${id}) is on in ${service}`)
    }),
  ])
  return [
    ...rules.flatMap((rule) =>
      rule.alerts.map(({ labels, state }) => `${alertWords(labels)} is ${state} in Prometheus`),
    ),
    ...alerts.map(({ labels, state }) => `${alertWords(labels)} is ${state} in Alertmanager`),
    ...silences.map(({ id, comment }) => `the silence ${id} (${comment}) is in force`),
    ...leased.flat(),
  ].sort()
}

/** After all trials everything is as it was before them. */
export function endStateCheck(
  context: RunContext,
  trials: readonly Trial[],
  faultUrls: Readonly<Record<string, string>>,
  before: AlertState,
  { from, withinMs }: { readonly from: number; readonly withinMs: number },
): Check {
  return {
    id: 'alerts.end-state',
    title: 'alerts, silences and faults are after the trials as they were before',
    signal: 'alerts',
    run: async () => {
      const remains = trials.flatMap(({ expect }) =>
        expect.filter(({ resolves }) => resolves === false).map(({ alert }) => alert),
      )
      const polled = await eventually(
        async (attempt): Promise<Finding> => {
          const after = await alertState(context, faultUrls, attempt)
          const isMeant = (one: string) =>
            remains.some((alert) => one.startsWith(`${alert} `) || one.startsWith(`${alert}{`))
          return {
            actual: `${after.length} alerts, silences and faults`,
            problems: [
              ...after
                .filter((one) => !before.includes(one) && !isMeant(one))
                .map((one) => `${one}, and was not before`),
              ...before.filter((one) => !after.includes(one)).map((one) => `not any more: ${one}`),
            ],
          }
        },
        ({ problems }) => problems.length === 0,
        { withinMs, signal: context.signal, isFinal },
      )
      const window: Window = { from, to: Date.now() }
      return concluded(polled, {
        expected: before.length === 0 ? 'no alert, no silence, no fault' : before.join('; '),
        window,
        query: '/api/v1/rules, /api/v2/alerts, /api/v2/silences, /leases of each service',
        deadline: `${withinMs / 1000} s after the last trial`,
      })
    },
  }
}
