import type { Action } from '../../lib/action.ts'
import { EnvironmentError } from '../../lib/errors.ts'
import type { Alertmanager } from '../backends/alertmanager.ts'
import { lease } from '../leases.ts'
import type { Fault, FaultCall, Trial } from './expectation.ts'
import type { Moment } from './timeline.ts'

/** How a fault is switched on and, whatever happens, lifted. */
export interface FaultTools {
  /** Fault ports by service. */
  readonly faultUrls: Readonly<Record<string, string>>
  /** The folder that programs are started in. */
  readonly folder: string
  /** @throws Error if it is not done */
  readonly perform: (action: Action) => Promise<void>
  /** Has it done if muster dies; returns what to call once it was done. */
  readonly guard: (action: Action) => () => void
}

/** A fault that is on. */
export interface SwitchedOn {
  readonly effect: Moment
  /** Tries several times. @throws EnvironmentError if the fault cannot be lifted */
  lift(): Promise<Moment>
}

const liftAttempts = 3

/**
 * Switches a trial's fault on.
 * @param ttlMs after which it ends by itself, where it can
 * @throws EnvironmentError if it cannot be switched on; what was begun is lifted again
 */
export async function switchOn(
  { name, fault }: Trial,
  ttlMs: number,
  tools: FaultTools,
  alertmanager: Alertmanager,
): Promise<SwitchedOn> {
  const begun = Date.now()
  const on = (lift: () => Promise<void>): SwitchedOn => ({
    effect: { from: begun, to: Date.now() },
    lift: () => timed(() => persistently(lift, name)),
  })
  switch (fault.kind) {
    case 'service': {
      const url = tools.faultUrls[fault.service]
      if (!url)
        throw new EnvironmentError(
          `services.${fault.service}.faultUrl is not set: the fault of "${name}" cannot be switched on.`,
        )
      const { fault: kind, ratio, ms } = fault
      const granted = await lease(url, { fault: kind, ratio, ttlMs, ...(ms === undefined ? {} : { ms }) })
      const unguard = tools.guard(deletion(granted.url))
      return on(async () => {
        await granted.lift()
        unguard()
      })
    }
    case 'synthetic': {
      const { labels, annotations } = fault
      const post = (endsAt: number) => alertmanager.post([{ labels, annotations, startsAt: begun, endsAt }])
      // It resolves by itself if muster cannot end it.
      await post(begun + ttlMs)
      return on(() => post(Date.now()))
    }
    default: {
      const [action, undo] = actionsOf(fault, tools.folder)
      const unguard = tools.guard(undo)
      const lift = async () => {
        await tools.perform(undo)
        unguard()
      }
      try {
        await tools.perform(action)
      } catch (error) {
        await persistently(lift, name)
        throw new EnvironmentError(`The fault of "${name}" could not be switched on: ${reason(error)}`)
      }
      return on(lift)
    }
  }
}

function actionsOf(fault: Extract<Fault, { kind: 'call' | 'command' }>, folder: string): [Action, Action] {
  if (fault.kind === 'call') return [callOf(fault.call), callOf(fault.lift)]
  const command = (argv: readonly string[]): Action => ({ kind: 'command', argv, folder })
  return [command(fault.command), command(fault.lift)]
}

function callOf({ body, headers, ...call }: FaultCall): Action {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const json = text === body ? {} : { 'content-type': 'application/json' }
  return { kind: 'call', ...call, body: text, headers: { ...json, ...headers }, accept: [] }
}

/** The end of a lease; 404: it has expired, which is what was wanted. */
function deletion(url: string): Action {
  return { kind: 'call', method: 'DELETE', url, headers: {}, headersEnv: {}, accept: [404] }
}

async function persistently(lift: () => Promise<void>, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await lift()
    } catch (error) {
      if (attempt < liftAttempts) continue
      throw new EnvironmentError(`The fault of "${name}" could not be lifted, so lift it yourself: ${reason(error)}`)
    }
  }
}

async function timed(task: () => Promise<void>): Promise<Moment> {
  const from = Date.now()
  await task()
  return { from, to: Date.now() }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
