import axios, { AxiosError } from 'axios'
import { z } from 'zod'
import { EnvironmentError } from '../lib/errors.ts'

const refusal = z.object({ error: z.string() })
const granted = z.object({ id: z.union([z.string(), z.number()]) })

/** A fault that is on; it expires by itself, and is lifted before that. */
export interface Lease {
  /** A DELETE to this URL lifts the fault. */
  readonly url: string
  lift(): Promise<void>
}

/** What a fault port can be asked for; see the services' faults. */
export interface FaultRequest {
  readonly fault: string
  readonly ratio?: number
  readonly ms?: number
  readonly ttlMs: number
}

const http = axios.create({ timeout: 3000, proxy: false })

/** Switches a fault on. @throws EnvironmentError if the fault port does not grant it */
export async function lease(faultUrl: string, request: FaultRequest): Promise<Lease> {
  const base = `${faultUrl.replace(/\/+$/, '')}/leases`
  try {
    const { id } = granted.parse((await http.post<unknown>(base, request)).data)
    const url = `${base}/${id}`
    return {
      url,
      lift: async () => {
        // 404: it has expired, which is what was wanted.
        await http.delete(url, { validateStatus: (status) => status < 300 || status === 404 })
      },
    }
  } catch (error) {
    throw new EnvironmentError(`The fault "${request.fault}" could not be switched on at ${base}: ${reasonOf(error)}.`)
  }
}

/** What the port said, where it said something. */
function reasonOf(error: unknown): string {
  const said = error instanceof AxiosError ? refusal.safeParse(error.response?.data).data?.error : undefined
  return said ?? (error instanceof Error ? error.message : String(error))
}
