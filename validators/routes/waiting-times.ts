import { allRoutes, type Route } from '../../lib/route-tree.ts'

/** The waiting times that an experiment waits, in milliseconds. */
export interface WaitingTimes {
  /** The new waiting time for one of the file's. */
  readonly scaled: (ms: number) => number
  readonly longestGroupWait: number
  readonly longestGroupInterval: number
}

/** Shorter, and what is posted in one request could be told in two notifications. */
const shortest = 500
/** What the longest group_wait or group_interval becomes, however many there are. */
const longest = 2500
const widestStep = 500

/**
 * Scales the file's waiting times down. What is shorter stays shorter, what is equal stays equal, and zero stays zero,
 * over group_wait, group_interval and repeat_interval together: the order of events is that of the file. No time grows.
 * A repeat_interval beyond all others stays as it is, for nobody waits for it.
 */
export function waitingTimes(root: Route): WaitingTimes {
  const routes = allRoutes(root)
  const waits = routes.map(({ groupWaitMs }) => groupWaitMs)
  const intervals = routes.map(({ groupIntervalMs }) => groupIntervalMs)
  const greatest = Math.max(...waits, ...intervals)
  const repeats = routes.map(({ repeatIntervalMs }) => repeatIntervalMs).filter((ms) => ms <= greatest)
  const ranks = [...new Set([...waits, ...intervals, ...repeats])].filter((ms) => ms > 0).sort((a, b) => a - b)
  const step = Math.floor(Math.min(widestStep, (longest - shortest) / Math.max(1, ranks.length - 1)))
  const scaled = (ms: number) => {
    const rank = ranks.indexOf(ms)
    return rank < 0 ? ms : Math.min(ms, shortest + rank * step)
  }
  return {
    scaled,
    longestGroupWait: Math.max(...waits.map(scaled)),
    longestGroupInterval: Math.max(...intervals.map(scaled)),
  }
}
