/** One request that a journey could make, as a document tells of it. */
export interface CandidateStep {
  /** A JavaScript name, unique among its siblings. */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `:name` for path parameters. */
  readonly route: string
  readonly status: number
  readonly parameters: Readonly<Record<string, string | number>>
  readonly query: Readonly<Record<string, string | number | boolean>>
  readonly body?: object
  /** Why it can't be sent as it is; absent: it can, and changes nothing. */
  readonly obstacle?: string
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** The method in capitals, if journeys know it. */
export function methodOf(text: string): CandidateStep['method'] | undefined {
  return methods.find((method) => method === text.toUpperCase())
}

/** The path of a step, its parameters filled in; without the query. */
export function pathOf({ route, parameters }: CandidateStep): string {
  return route.replace(/:(\w+)/g, (whole, name: string) => {
    const value = parameters[name]
    return value === undefined ? whole : encodeURIComponent(String(value))
  })
}

/** Names for steps: `getTodosId`, and a number behind what is there already. */
export class StepNames {
  readonly #used = new Set(['user', 'data'])

  take(wish: string): string {
    const [first = '', ...rest] = wish.split(/[^A-Za-z0-9]+/).filter((part) => part !== '')
    const joined = lower(first) + rest.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join('')
    const base = /^[A-Za-z]/.test(joined) ? joined : `step${joined}`
    let name = base
    for (let n = 2; this.#used.has(name); n += 1) name = `${base}${n}`
    this.#used.add(name)
    return name
  }
}

function lower(text: string): string {
  return /^[A-Z0-9]+$/.test(text) ? text.toLowerCase() : text.charAt(0).toLowerCase() + text.slice(1)
}

const secret = /pass|secret|token|auth|api.?key|session|credential/i

/** A recorded value without what only its sender may know. */
export function withoutSecrets<T>(value: T): T | string | object {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, one]) => [name, secret.test(name) ? '…' : withoutSecrets(one)])
  return Object.fromEntries(entries)
}

export function isSecretName(name: string): boolean {
  return secret.test(name)
}
