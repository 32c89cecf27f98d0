import type { Tally } from '../../lib/attendance.ts'
import type { Ledger } from '../../lib/ledger.ts'
import { Roll } from '../../lib/roll.ts'
import { likelyCause } from '../cause.ts'
import type { ScenarioContext, ScenarioFacts } from '../context.ts'
import { gatherLogged, type LoggedService } from './logged.ts'
import { gatherTraced, type Traced, type TracedService } from './traced.ts'

/**
 * Who was sent, who was seen: every request of a scenario, and what each service logged and traced of it. Gathered once,
 * when first asked for, and shared by all checks.
 */
export class RollCall {
  readonly roll: Roll
  readonly #context: ScenarioFacts
  readonly #ledger: Ledger
  readonly #logged = new Map<string, Promise<LoggedService>>()
  readonly #counted = new Map<string, number>()
  readonly #causes = new Map<'logs' | 'traces', Promise<string>>()
  #traced: Promise<Traced> | undefined

  constructor(context: ScenarioFacts, ledger: Ledger) {
    this.#context = context
    this.#ledger = ledger
    this.roll = new Roll(ledger)
  }

  /** What a service logged. Rejects with a BackendError if Loki could not be asked; a missing line is an answer. */
  logged(service: string): Promise<LoggedService> {
    let gathered = this.#logged.get(service)
    if (gathered === undefined) {
      gathered = gatherLogged(this.#context, this.#ledger, this.roll, service)
      this.#logged.set(service, gathered)
    }
    return gathered
  }

  /** Everything that was traced. Rejects with a BackendError if the source of traces could not be asked. */
  traces(): Promise<Traced> {
    this.#traced ??= gatherTraced(this.#context, this.#ledger, this.roll, (service) => this.logged(service))
    return this.#traced
  }

  /** Notes what Prometheus counted of a service, for the table. */
  noteCounted(service: string, count: number): void {
    this.#counted.set(service, count)
  }

  /** What is known of a service so far, without asking for more; undefined: not asked, or not to be had. */
  async answers(service: string): Promise<{ counted?: number; logged?: Tally; traced?: Tally }> {
    const counted = this.#counted.get(service)
    const logged = await this.#logged.get(service)?.catch(() => undefined)
    const traced = (await this.tracedSoFar())?.services.get(service)
    return {
      ...(counted === undefined ? {} : { counted }),
      ...(logged ? { logged: logged.tally } : {}),
      ...(traced ? { traced: traced.tally } : {}),
    }
  }

  /** What was traced so far, without asking for it; undefined: not asked, or not to be had. */
  async tracedSoFar(): Promise<Traced | undefined> {
    return this.#traced?.catch(() => undefined)
  }

  /** Where what is missing was likely lost, in a sentence. */
  cause(signal: 'logs' | 'traces'): Promise<string> {
    const known = this.#causes.get(signal) ?? likelyCause(this.#context, signal)
    this.#causes.set(signal, known)
    return known
  }

  /** What was traced of one service. */
  async traced(service: string): Promise<TracedService> {
    const found = (await this.traces()).services.get(service)
    if (found === undefined) throw new RangeError(`${service} is not among services`)
    return found
  }
}

/** Adds the roll call to what is known of a scenario. */
export function withRollCall(facts: ScenarioFacts): ScenarioContext {
  return { ...facts, rollCall: facts.ledger && new RollCall(facts, facts.ledger) }
}
