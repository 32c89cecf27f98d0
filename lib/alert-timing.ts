/** A time after something, in milliseconds; both ends are judged. */
export interface Bound {
  readonly earliestMs: number
  readonly latestMs: number
  /** The sum as a sentence. */
  readonly derivation: string
}

/** How long an expression takes to become true after a fault's first effect, and false after its end; milliseconds. */
export interface Crossing {
  readonly crossesMs: number
  readonly clears: { readonly earliestMs: number; readonly latestMs: number }
  /** How `crossesMs` came about, e.g. "10 s x 0.05 / 0.3". */
  readonly words: string
}

/** What Prometheus says of one alerting rule, and how the fault meets its expression; milliseconds. */
export interface RuleTiming {
  readonly scrape: number
  /** Of the rule's own group. */
  readonly evaluation: number
  readonly for: number
  readonly keepFiringFor: number
  readonly crossing: Crossing
}

/** What Alertmanager says of the route that an alert takes; milliseconds. */
export interface RouteTiming {
  readonly groupWait: number
  readonly groupInterval: number
  /** The alert may join a group that exists: then the group's next flush takes the place of group_wait. */
  readonly mayJoin: boolean
}

/**
 * Alertmanager notifies a group's integrations with a floor of 10 s (`notify.MinTimeout`), so a later notification may be
 * held up that long by a slow sibling.
 */
const notificationFloorMs = 10_000

const s = (ms: number) => `${+(ms / 1000).toFixed(2)} s`

/** A bound's both ends in seconds: `4 s to 9.7 s`. */
export function boundWords({ earliestMs, latestMs }: Bound): string {
  return `${s(earliestMs)} to ${s(latestMs)}`
}

/** A time as Prometheus keeps it: whole evaluations. */
function inEvaluations(ms: number, { evaluation }: RuleTiming): number {
  return Math.ceil(ms / evaluation) * evaluation
}

/**
 * The crossing of a share over a rate window: a window W that holds a bad share e for x seconds shows e * x / W, which
 * passes theta at W * theta / e; after the end it falls below theta at W * (1 - theta / e), and is empty of faults at W.
 * @param windowMs W
 * @param threshold theta, below `injected`
 * @param injected e
 */
export function shareCrossing(windowMs: number, threshold: number, injected: number): Crossing {
  const crossesMs = (windowMs * threshold) / injected
  return {
    crossesMs,
    // A window that was not full of faults yet holds fewer of them than theory says, and clears sooner.
    clears: { earliestMs: (windowMs - crossesMs) / 2, latestMs: windowMs },
    words: `${s(windowMs)} x ${+threshold.toPrecision(3)} / ${+injected.toPrecision(3)}`,
  }
}

/** From the fault's first effect to the rule's being pending. */
export function pendingBound(t: RuleTiming, toleranceMs: number): Bound {
  const { crossesMs, words } = t.crossing
  return {
    earliestMs: 0,
    latestMs: crossesMs + t.scrape + t.evaluation + toleranceMs,
    derivation: `crossing ${s(crossesMs)} (${words}; 0 at the earliest) + scrape ${s(t.scrape)} + evaluation ${s(t.evaluation)} + tolerance ${s(toleranceMs)}`,
  }
}

/**
 * From the fault's first effect to the rule's firing. Prometheus evaluates a rule every E and fires at the first
 * evaluation at which it has been pending for F.
 */
export function firingBound(t: RuleTiming, toleranceMs: number): Bound {
  const pending = pendingBound(t, toleranceMs)
  const held = inEvaluations(t.for, t)
  return {
    earliestMs: held,
    latestMs: pending.latestMs + held,
    derivation: pending.derivation.replace(' + tolerance', ` + for ${s(held)} + tolerance`),
  }
}

/** From the fault's first effect to the first notification; Alertmanager waits group_wait for a new group. */
export function deliveredBound(t: RuleTiming, route: RouteTiming, toleranceMs: number): Bound {
  return after(firingBound(t, toleranceMs), route)
}

/** From an alert's being posted to Alertmanager to the first notification. */
export function postedBound(route: RouteTiming, toleranceMs: number): Bound {
  const posted = { earliestMs: 0, latestMs: toleranceMs, derivation: `posted + tolerance ${s(toleranceMs)}` }
  return after(posted, route)
}

function after(bound: Bound, { groupWait, groupInterval, mayJoin }: RouteTiming): Bound {
  const longest = mayJoin ? Math.max(groupWait, groupInterval) : groupWait
  const words = mayJoin
    ? `up to max(group_wait ${s(groupWait)}, group_interval ${s(groupInterval)}), since its group may exist`
    : `group_wait ${s(groupWait)}`
  return {
    earliestMs: bound.earliestMs + (mayJoin ? 0 : groupWait),
    latestMs: bound.latestMs + longest,
    derivation: bound.derivation.replace('tolerance', `${words} + tolerance`),
  }
}

/** From the fault's end to the rule's being inactive. */
export function inactiveBound(t: RuleTiming, toleranceMs: number): Bound {
  const { clears } = t.crossing
  const kept = inEvaluations(t.keepFiringFor, t)
  return {
    earliestMs: Math.max(0, clears.earliestMs + kept - t.scrape - t.evaluation),
    latestMs: clears.latestMs + t.scrape + t.evaluation + kept + toleranceMs,
    derivation: `clearing ${s(clears.latestMs)} + scrape ${s(t.scrape)} + evaluation ${s(t.evaluation)} + keep_firing_for ${s(kept)} + tolerance ${s(toleranceMs)}`,
  }
}

/** From the fault's end to the resolved notification, which waits for the group's next flush. */
export function resolvedBound(t: RuleTiming, route: RouteTiming, toleranceMs: number): Bound {
  return flushed(inactiveBound(t, toleranceMs), route)
}

/** From an alert's being ended at Alertmanager to the resolved notification. */
export function endedBound(route: RouteTiming, toleranceMs: number): Bound {
  return flushed({ earliestMs: 0, latestMs: toleranceMs, derivation: `ended + tolerance ${s(toleranceMs)}` }, route)
}

function flushed(bound: Bound, { groupInterval }: RouteTiming): Bound {
  return {
    earliestMs: bound.earliestMs,
    latestMs: bound.latestMs + Math.max(groupInterval, notificationFloorMs),
    derivation: bound.derivation.replace('tolerance', `max(group_interval ${s(groupInterval)}, 10 s) + tolerance`),
  }
}
