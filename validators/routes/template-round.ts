import type { Labels } from '../../lib/matcher.ts'
import { type Change, Experiment, type Surroundings } from './experiment.ts'
import type { SentAlert } from './experiment-alert.ts'
import type { PlacedIntegration } from './rewrite.ts'
import { slackMs } from './routing.ts'
import { caseNames, templateCases, type UsedNames } from './template-cases.ts'
import { cutsOf, faultsOf } from './text-faults.ts'

/** A receiver as one of its routes groups for it: that is what templates see. */
export interface Setting {
  /** Begins the ids of its alerts. */
  readonly id: string
  readonly receiver: string
  readonly groupBy: readonly string[]
  /** The labels of an alert that is routed so. */
  readonly sample: Labels
}

/** What one integration told in one case. */
export interface RenderedText {
  readonly receiver: string
  /** `slack[0]` */
  readonly integration: string
  readonly groupBy: readonly string[]
  readonly case: string
  /** One a group. */
  readonly texts: readonly string[]
}

export interface TemplateRound {
  readonly integrations: readonly PlacedIntegration[]
  readonly texts: readonly RenderedText[]
  readonly problems: readonly { readonly path: string; readonly problem: string }[]
}

export const groupWaitMs = 300
export const groupIntervalMs = 500

/**
 * Renders every case for settings of different receivers. One case follows the other: most services are told nothing by
 * which two could be told apart.
 */
export async function renderCases(
  name: string,
  around: Surroundings,
  change: Change,
  settings: readonly Setting[],
  used: UsedNames,
): Promise<TemplateRound> {
  const experiment = await Experiment.open(name, around, change)
  try {
    const integrations = experiment.rewritten.integrations.filter(({ receiver }) =>
      settings.some((setting) => setting.receiver === receiver),
    )
    const texts: RenderedText[] = []
    const problems: { path: string; problem: string }[] = []
    for (const kind of [...caseNames, 'resolved'] as const) {
      const of = kind === 'resolved' ? 'firing' : kind
      const alerts = settings.flatMap((setting) => alertsOf(setting, of, used))
      const since = Date.now()
      if (kind === 'resolved') await experiment.resolve(alerts)
      else await experiment.fire(alerts)
      const wanted = integrations.filter(({ sendResolved }) => kind !== 'resolved' || sendResolved)
      await experiment.until(
        () => isTold(experiment, alerts, wanted, since),
        (told) => told,
        groupWaitMs + groupIntervalMs + slackMs,
      )
      for (const setting of settings) {
        for (const integration of integrations.filter(({ receiver }) => receiver === setting.receiver)) {
          const arrived = experiment.arrived(integration, since)
          const expected = wanted.includes(integration)
          if (arrived.length === 0 && !expected) continue
          const { receiver, path } = integration
          const told = { receiver, integration: nameOf(integration), groupBy: setting.groupBy, case: kind }
          texts.push({ ...told, texts: arrived.map(({ text }) => text) })
          if (!expected) continue
          const found = [
            ...(await faultsOf(integration, arrived, experiment.lastError(integration, since))),
            ...cutsOf(integration, arrived, experiment.logSince(since), `${setting.id}-${of}-`),
          ]
          problems.push(...found.map((problem) => ({ path, problem: `${path}, ${kind}: ${problem}` })))
        }
      }
    }
    experiment.alive()
    return { integrations, texts, problems }
  } finally {
    await experiment.close()
  }
}

function alertsOf({ id, sample }: Setting, name: string, used: UsedNames): SentAlert[] {
  const alerts = templateCases(sample, used).find((one) => one.name === name)?.alerts ?? []
  return alerts.map((alert, n) => ({ id: `${id}-${name}-${n}`, ...alert }))
}

/** The mirrors tell every alert, and each integration as many notifications as its receiver's mirror, or why it cannot. */
function isTold(
  experiment: Experiment,
  alerts: readonly SentAlert[],
  wanted: readonly PlacedIntegration[],
  since: number,
): boolean {
  const deliveries = experiment.deliveriesSince(since)
  const told = new Set(deliveries.map(({ id }) => id))
  if (!alerts.every(({ id }) => told.has(id))) return false
  return wanted.every((integration) => {
    const own = deliveries.filter(({ receiver }) => receiver === integration.receiver)
    const least = new Set(own.map(({ notification }) => notification)).size
    return (
      experiment.arrived(integration, since).length >= least || experiment.lastError(integration, since) !== undefined
    )
  })
}

export function nameOf({ path }: PlacedIntegration): string {
  return path.replace(/^.*\.(\w+)_configs/, '$1')
}
