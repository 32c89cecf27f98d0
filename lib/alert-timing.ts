/** What Prometheus and Alertmanager say of themselves and of one alerting rule; all in milliseconds. */
export interface AlertTiming {
  readonly scrape: number
  readonly evaluation: number
  readonly for: number
  readonly keepFiringFor: number
  readonly groupWait: number
  readonly groupInterval: number
  /** The range of the rule's rate, e.g. 10 s. */
  readonly rateWindow: number
  /** The ratio above which the expression is true, and the ratio that the fault causes. */
  readonly threshold: number
  readonly injected: number
}

export interface Bound {
  readonly earliestMs: number
  readonly latestMs: number
  /** The sum as a sentence. */
  readonly derivation: string
}

/**
 * Alertmanager notifies a group's integrations with a floor of 10 s (`notify.MinTimeout`), so a later notification may be
 * held up that long by a slow sibling.
 */
const notificationFloorMs = 10_000

/** Scrape and evaluation take time themselves, delivery is an HTTP request, and muster looks every 200 ms. */
const alertSlackMs = 2000

const s = (ms: number) => `${+(ms / 1000).toFixed(2)} s`

/** For how long a rule's `for` holds an alert back: whole evaluations. */
function heldBack(t: AlertTiming): number {
  return Math.ceil(t.for / t.evaluation) * t.evaluation
}

/**
 * From the fault's first effect to the first notification. A window W that holds a bad ratio e for x seconds shows
 * e * x / W, which passes theta at W * theta / e. Source of the rest: Prometheus evaluates a rule every E and fires at the
 * first evaluation at which it has been pending for F; Alertmanager waits group_wait for a new group.
 */
export function firingBound(t: AlertTiming): Bound {
  const crossing = (t.rateWindow * t.threshold) / t.injected
  return {
    earliestMs: heldBack(t) + t.groupWait,
    latestMs: crossing + t.scrape + t.evaluation + heldBack(t) + t.groupWait + alertSlackMs,
    derivation:
      `crossing ${s(crossing)} (0 at the earliest) + scrape ${s(t.scrape)} + evaluation ${s(t.evaluation)} + for ${s(heldBack(t))}` +
      ` + group_wait ${s(t.groupWait)} + slack ${s(alertSlackMs)}`,
  }
}

/** From the fault's first effect to the rule's being pending, and to its firing in Prometheus. */
export function pendingBound(t: AlertTiming): Bound {
  const crossing = (t.rateWindow * t.threshold) / t.injected
  return {
    earliestMs: 0,
    latestMs: crossing + t.scrape + t.evaluation + alertSlackMs,
    derivation: `crossing ${s(crossing)} + scrape ${s(t.scrape)} + evaluation ${s(t.evaluation)} + slack ${s(alertSlackMs)}`,
  }
}

/**
 * From the fault's end to the resolved notification: the bad requests must leave the window, which they do at
 * W * (1 - theta / e) at the earliest and at W at the latest.
 */
export function resolvingBound(t: AlertTiming): Bound {
  const clean = t.rateWindow * (1 - t.threshold / t.injected)
  const kept = Math.ceil(t.keepFiringFor / t.evaluation) * t.evaluation
  const flush = Math.max(t.groupInterval, notificationFloorMs)
  return {
    // A window that was not full of faults yet holds fewer of them, so it may clear sooner than theory by a scrape and an evaluation.
    earliestMs: Math.max(0, clean * 0.5 + kept - t.scrape - t.evaluation),
    latestMs: t.rateWindow + t.scrape + t.evaluation + kept + flush + alertSlackMs,
    derivation:
      `window ${s(t.rateWindow)} + scrape ${s(t.scrape)} + evaluation ${s(t.evaluation)} + keep_firing_for ${s(kept)}` +
      ` + max(group_interval ${s(t.groupInterval)}, 10 s) + slack ${s(alertSlackMs)}`,
  }
}
