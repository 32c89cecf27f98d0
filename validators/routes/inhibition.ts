import { findLabels } from '../../lib/label-set.ts'
import { type Labels, matches } from '../../lib/matcher.ts'
import { pause } from '../../lib/poll.ts'
import type { CheckResult, Window } from '../../lib/verdict.ts'
import type { AlertmanagerFile, InhibitRule } from './alertmanager-file.ts'
import { Experiment, type Surroundings } from './experiment.ts'
import { probeLabel, type SentAlert } from './experiment-alert.ts'
import { withRoutes } from './route-changes.ts'
import { inWords, routeCheck, skippedCheck } from './route-check.ts'
import { notificationFloorMs, slackMs } from './routing.ts'
import type { WaitingTimes } from './waiting-times.ts'

/** The alerts by which one rule is tried. */
interface Trial {
  readonly rule: InhibitRule
  readonly source: SentAlert
  /** Agrees with the source in every label of `equal`. */
  readonly target: SentAlert
  /** Each differs from the target in one label of `equal`. */
  readonly nearMisses: readonly { readonly label: string; readonly alert: SentAlert }[]
}

/**
 * Tries each inhibition rule: its target is muted while the source fires and told when that has ended, and an alert that
 * differs in a label of `equal` is told at once. Rules that would mute each other's alerts are tried apart.
 */
export async function tryInhibition(
  around: Surroundings,
  times: WaitingTimes,
  known: readonly Labels[],
): Promise<CheckResult[]> {
  const { file } = around
  const trials = file.inhibitRules.map((rule, n) => trialOf(rule, n, file))
  const possible = trials.filter((trial): trial is Trial => typeof trial !== 'string')
  const batches = apart(possible, file.inhibitRules)
  const tried = await Promise.all(batches.map((batch, n) => tryBatch(around, times, batch, n)))
  const results = new Map(tried.flatMap((batch) => [...batch]))
  return file.inhibitRules.flatMap((rule, n) => {
    const trial = trials[n]
    const asked =
      typeof trial === 'string'
        ? notProvable(rule, trial)
        : (results.get(rule) ?? notProvable(rule, 'It was not tried.'))
    return [asked, breadthCheck(rule, known)]
  })
}

const titleOf = ({ path, name }: InhibitRule) => `${path}${name === undefined ? '' : ` (${name})`}`
const idOf = ({ path }: InhibitRule) => `inhibition.${path}`

function notProvable(rule: InhibitRule, why: string): CheckResult {
  if (why !== contradiction) return skippedCheck(idOf(rule), `${titleOf(rule)} mutes its targets`, why)
  return routeCheck(
    {
      id: idOf(rule),
      title: `${titleOf(rule)} mutes its targets`,
      expected: 'a pair of alerts of which one mutes the other',
      window: { from: Date.now(), to: Date.now() },
    },
    { actual: 'there is no such pair', problems: [`${titleOf(rule)} (line ${rule.line}) can never mute: ${why}`] },
  )
}

const contradiction = 'no alert can be its source and another its target with the same values of equal'

/** @returns why there are none, if so */
function trialOf(rule: InhibitRule, n: number, { inhibitRules }: AlertmanagerFile): Trial | string {
  const shared: Record<string, string> = {}
  const free = (name: string) => ![...rule.source, ...rule.target].some((matcher) => matcher.name === name)
  // A value of its own for each rule, so that no other rule's alerts agree with these.
  for (const name of rule.equal) if (free(name)) shared[name] = `muster-${n}`
  const bound = rule.equal.filter((name) => !free(name))
  const about = [...rule.source, ...rule.target].filter(({ name }) => bound.includes(name))
  const common = findLabels({ all: about, none: [] })
  if (common === 'undecided') return 'The search for labels was given up.'
  // What is demanded of a label of `equal` is demanded of both.
  if (common === 'none') return contradiction
  for (const name of bound) shared[name] = common.labels[name] ?? ''
  const source = labelsFor(rule.source, [rule.target], shared) ?? labelsFor(rule.source, [], shared)
  const target = labelsFor(rule.target, [rule.source], shared)
  if (!source) return contradiction
  // Alertmanager never lets an alert that is source and target mute another of that kind.
  if (!target) return contradiction
  const others = inhibitRules.filter((other) => other !== rule)
  const nearMisses = rule.equal.flatMap((label) => {
    const differing = { ...target, [label]: `${target[label] ?? ''}-other` }
    const fits = matches(rule.target, differing) && !others.some((other) => inhibits(other, source, differing))
    return fits ? [{ label, alert: { id: `i${n}-near-${label}`, labels: differing } }] : []
  })
  return {
    rule,
    source: { id: `i${n}-source`, labels: source },
    target: { id: `i${n}-target`, labels: target },
    nearMisses,
  }
}

function labelsFor(
  all: InhibitRule['source'],
  none: readonly InhibitRule['source'][],
  shared: Labels,
): Labels | undefined {
  const open = (matchers: InhibitRule['source']) => matchers.filter(({ name }) => !Object.hasOwn(shared, name))
  const fixed = (matchers: InhibitRule['source']) => matchers.filter(({ name }) => Object.hasOwn(shared, name))
  if (!matches(fixed(all), shared)) return undefined
  // What the shared labels already keep from matching needs no more.
  const left = none.filter((matchers) => matches(fixed(matchers), shared)).map(open)
  const found = findLabels({ all: open(all), none: left })
  if (typeof found === 'string') return undefined
  const labels = { alertname: 'MusterProbe', ...found.labels, ...shared }
  return matches(all, labels) ? labels : { ...found.labels, ...shared }
}

/** Alertmanager's own rule (inhibit.InhibitRule): an absent label equals an empty one. */
function inhibits({ source, target, equal }: InhibitRule, one: Labels, other: Labels): boolean {
  if (!matches(source, one) || !matches(target, other)) return false
  if (matches(source, other) && matches(target, one)) return false
  return equal.every((name) => (one[name] ?? '') === (other[name] ?? ''))
}

/** Puts trials together whose alerts no rule mutes but for the one that is tried. */
function apart(trials: readonly Trial[], rules: readonly InhibitRule[]): Trial[][] {
  const batches: Trial[][] = []
  const told = ({ source, nearMisses }: Trial) => [source, ...nearMisses.map(({ alert }) => alert)]
  const all = (trial: Trial) => [...told(trial), trial.target]
  const disturbs = (one: Trial, other: Trial) =>
    rules.some((rule) => all(one).some(({ labels }) => all(other).some((each) => inhibits(rule, labels, each.labels))))
  for (const trial of trials) {
    const batch = batches.find((each) => !each.some((other) => disturbs(trial, other) || disturbs(other, trial)))
    if (batch) batch.push(trial)
    else batches.push([trial])
  }
  return batches
}

async function tryBatch(
  around: Surroundings,
  times: WaitingTimes,
  trials: readonly Trial[],
  n: number,
): Promise<Map<InhibitRule, CheckResult>> {
  const experiment = await Experiment.open(`inhibition-${n}`, around, withRoutes(around.file, times))
  try {
    const from = Date.now()
    const told = (alert: SentAlert, since = 0) =>
      experiment.deliveries().filter(({ id, status, at }) => id === alert.id && status === 'firing' && at >= since)
    const settledMs = times.longestGroupWait + times.longestGroupInterval
    const sources = trials.map(({ source }) => source)
    await experiment.fire(sources)
    // Only then is it sure that Alertmanager's inhibitor knows of them.
    await experiment.until(
      () => sources.every((source) => told(source).length > 0),
      (all) => all,
      settledMs + slackMs,
    )
    const targetsAt = await experiment.fire(
      trials.flatMap(({ target, nearMisses }) => [target, ...nearMisses.map(({ alert }) => alert)]),
    )
    const misses = trials.flatMap(({ nearMisses }) => nearMisses.map(({ alert }) => alert))
    await experiment.until(
      () => misses.every((alert) => told(alert).length > 0),
      (all) => all,
      settledMs + slackMs,
    )
    // Muted for as long as a group can take to tell.
    await pause(Math.max(0, targetsAt + settledMs - Date.now()), around.signal)
    const during = await experiment.api.alerts(around.signal)
    const early = new Map(trials.map(({ rule, target }) => [rule, told(target).length]))
    const endedAt = await experiment.resolve(trials.map(({ source }) => source))
    await experiment.until(
      () => trials.every(({ target }) => told(target, endedAt).length > 0),
      (all) => all,
      Math.max(times.longestGroupInterval, notificationFloorMs) + slackMs,
    )
    experiment.alive()
    const window = { from, to: Date.now() }
    return new Map(
      trials.map((trial) => {
        const { rule, source, target, nearMisses } = trial
        const state = during.find(({ labels }) => labels[probeLabel] === target.id)
        const problems = [
          ...(told(source).length > 0 ? [] : [`the source {${inWords(source.labels)}} was never told as firing`]),
          ...((early.get(rule) ?? 0) > 0
            ? [`the target {${inWords(target.labels)}} was told although its source fired`]
            : []),
          ...(state && state.inhibitedBy.length === 0 ? ['Alertmanager says that nothing inhibits the target'] : []),
          ...(told(target, endedAt).length === 0 ? ['the target was not told after its source had ended'] : []),
          ...nearMisses
            // What comes only when the source has ended was muted by it.
            .filter(({ alert }) => !told(alert).some(({ at }) => at < endedAt))
            .map(({ label, alert }) => `{${inWords(alert.labels)}} was muted, though it differs in ${label}`),
        ]
        return [rule, trialCheck(trial, problems, window)]
      }),
    )
  } finally {
    await experiment.close()
  }
}

function trialCheck(
  { rule, source, target, nearMisses }: Trial,
  problems: readonly string[],
  window: Window,
): CheckResult {
  return routeCheck(
    {
      id: idOf(rule),
      title: `${titleOf(rule)} mutes its targets while a source fires, and nothing else`,
      expected: `{${inWords(target.labels)}} is muted while {${inWords(source.labels)}} fires, and told when that has ended; told at once if it differs in ${nearMisses.map(({ label }) => label).join(' or ') || 'nothing'}`,
      window,
    },
    { actual: problems.length === 0 ? 'so it was' : `${problems.length} departures`, problems },
  )
}

/**
 * Whether a rule mutes more than its author can have meant. What is known of alerts may lack labels that their expressions
 * add, so what follows from an absent label is told, and judges nothing.
 */
function breadthCheck(rule: InhibitRule, known: readonly Labels[]): CheckResult {
  const pinned = rule.source.some(({ name, operator }) => name === 'alertname' && operator === '=')
  const unbound = rule.equal.length === 0 && !pinned
  const pair = known
    .filter((labels) => matches(rule.source, labels))
    .flatMap((one) => known.map((other) => [one, other] as const))
    .find(([one, other]) => inhibits(rule, one, other) && rule.equal.some((name) => !one[name] && !other[name]))
  const absent = pair && rule.equal.filter((name) => !pair[0][name] && !pair[1][name])
  return routeCheck(
    {
      id: `inhibition-breadth.${rule.path}`,
      title: `${titleOf(rule)} is bound to what its source and target have in common`,
      expected: 'labels in equal, or one alert by name as its source',
      window: { from: Date.now(), to: Date.now() },
    },
    {
      actual: [
        `equal: [${rule.equal.join(', ')}]`,
        ...(rule.equal.length > 0
          ? [`alerts that both lack ${rule.equal.join(' and ')} mute each other all the same`]
          : []),
        ...(pair && absent
          ? [
              `so does {${inWords(pair[0])}} mute {${inWords(pair[1])}} unless their expressions add ${absent.join(', ')}`,
            ]
          : []),
      ].join('; '),
      problems: unbound
        ? [
            `${titleOf(rule)} (line ${rule.line}) has no equal and names no one alert as its source: any alert {${sourceWords(rule)}} mutes its targets everywhere`,
          ]
        : [],
    },
  )
}

function sourceWords({ source }: InhibitRule): string {
  return source.map(({ name, operator, value }) => `${name}${operator}"${value}"`).join(', ')
}
