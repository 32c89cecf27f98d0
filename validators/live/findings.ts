import type { Finding } from '../check.ts'
import type { Problems } from '../roll-call/problems.ts'
import { clock } from '../signals/scrapes.ts'
import type { LiveContext, LiveService, Seen } from './gather.ts'
import type { Told } from './meetings.ts'

/** A question put to what was seen of a service. */
export type Judge = (found: LiveService, context: LiveContext) => Finding

/** What the counters may show: every line inside, those at the edges or not, less what a restart lost. */
export function bandOf({ instances }: LiveService['counted'], { met }: Seen): [number, number] {
  const { inside, edge, gap } = met.logged
  const [first, last] = inFlightOf(instances)
  // A service that counts at a request's arrival has counted those under way before their lines are written.
  return [Math.max(0, inside - first - gap), inside + edge + last]
}

function inFlightOf(instances: LiveService['counted']['instances']): [number, number] {
  const sum = (end: 0 | 1) => instances.reduce((total, { inFlight }) => total + (inFlight?.[end] ?? 0), 0)
  return [sum(0), sum(1)]
}

/** Does the counter tell of as many requests as the lines, within the band of the edges? */
export function countedLogged({ counted, seen }: LiveService): Finding {
  if (seen === undefined) return unscraped(counted.problems)
  const { logged, traced } = seen.met
  const total = totalOf(counted)
  const [least, most] = bandOf(counted, seen)
  const wrong = total < least || total > most
  const lost = total < least ? least - total : total - most
  const what = total < least ? 'logged, but not counted' : 'counted, but not logged'
  return {
    actual: `${total} counted, ${inWords(logged)} logged, ${inWords(traced)} traced; ${bandWords(counted, seen, [least, most])}`,
    problems: [
      ...counted.problems,
      ...(wrong ? [`${requests(lost)} ${what}: ${suspect(total, [least, most], traced)}`] : []),
      ...(wrong ? counted.instances.map(instanceWords) : []),
    ],
    // What lies at the edges proves nothing.
    empty: counted.problems.length === 0 && total === 0 && logged.inside + traced.inside === 0,
  }
}

/** Two of three agree: the third is suspect. */
function suspect(total: number, [least, most]: readonly [number, number], { inside, edge }: Told): string {
  if (total >= inside && total <= inside + edge)
    return 'the spans agree with the counter: lines were lost, by the service or on their way'
  if (inside <= most && inside + edge >= least)
    return 'the spans agree with the lines: likely the service, whose counter is wrong'
  return `the spans agree with neither (${inside} traced)`
}

/** Is every trace id of a line inside the edges that of an entry span, and the other way round? */
export function loggedTraced({ counted, seen }: LiveService, { config }: Pick<LiveContext, 'config'>): Finding {
  if (seen === undefined) return unscraped(counted.problems)
  const { logged, traced, untraced, unlogged, doubledSpans } = seen.met
  const sampled = config.traces.sampling !== undefined
  const unjudged = sampled ? `; traces are sampled: ${untraced.count} of the logged are not traced` : ''
  return {
    actual: `${inWords(logged)} logged, ${inWords(traced)} traced${unjudged}`,
    problems: [
      ...(sampled ? [] : told(untraced, 'logged, but not traced')),
      ...told(unlogged, 'traced, but not logged'),
      ...told(doubledSpans, 'traced by a span that was written more than once'),
    ],
    empty: logged.inside + traced.inside === 0,
  }
}

/** What `loggedTraced` expects, in words. */
export function loggedTracedWords({ config }: Pick<LiveContext, 'config'>): string {
  return config.traces.sampling === undefined
    ? 'the same trace ids in lines and in entry spans'
    : 'a line for the trace id of each entry span (traces.sampling is set: not the other way round)'
}

/** Was each request line written once, and whole? */
export function lines({ counted, seen }: LiveService): Finding {
  if (seen === undefined) return unscraped(counted.problems)
  const { met, malformed } = seen
  const { logged, doubledLines } = met
  return {
    actual: `${inWords(logged)} request lines: ${doubledLines.count} doubled, ${malformed.count} wrong fields`,
    problems: [
      ...told(doubledLines, 'logged more than once'),
      ...(malformed.count > 0
        ? [`${malformed.count} ${malformed.count === 1 ? 'field' : 'fields'} missing or wrong`, ...malformed.texts]
        : []),
    ],
    empty: logged.inside === 0 && malformed.count === 0,
  }
}

function unscraped(problems: readonly string[]): Finding {
  return { actual: 'no period between two scrapes', problems, empty: true }
}

function told({ count, texts }: Problems, what: string): string[] {
  if (count === 0) return []
  const rest = count - texts.length
  return [`${requests(count)} ${what}`, ...texts, ...(rest > 0 ? [`… and ${rest} more`] : [])]
}

function requests(count: number): string {
  return `${count} ${count === 1 ? 'request' : 'requests'}`
}

/** `300`, or `300+4` with four that lie at the edges. */
export function inWords({ inside, edge }: Told): string {
  return edge === 0 ? String(inside) : `${inside}+${edge}`
}

/** Over all instances. */
export function totalOf({ instances }: LiveService['counted']): number {
  return instances.reduce((sum, { counted }) => sum + counted, 0)
}

function bandWords(
  counted: LiveService['counted'],
  { met, edges }: Seen,
  [least, most]: readonly [number, number],
): string {
  const { instances } = counted
  const [first, last] = inFlightOf(instances)
  const flying = instances.every(({ inFlight }) => inFlight === undefined)
    ? ''
    : `, ${first} and ${last} in flight at the first and last scrape`
  const gap = met.logged.gap > 0 ? `, ${met.logged.gap} around a restart` : ''
  const several = instances.length > 1 ? ', from the first to the last of the instances’ scrapes' : ''
  return `band ${least} to ${most} (${met.logged.edge} lines within ${Math.ceil(edges.slackMs)} ms of an edge${several}${flying}${gap}); edges ${instances
    .map(({ name, first, last }) => `${name} ${clock(first.at)} to ${clock(last.at)}`)
    .join(', ')}`
}

function instanceWords({ name, counted, first, last, deaths }: LiveService['counted']['instances'][number]): string {
  const restarts = deaths.map(({ after, by }) => `, restarted between ${clock(after)} and ${clock(by)}`)
  return `${name} counted ${counted} from ${clock(first.at)} to ${clock(last.at)}${restarts.join('')}`
}
