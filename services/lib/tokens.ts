import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

const claims = z.object({ user: z.string().min(1), expires: z.number() })

/** Makes and checks bearer tokens that carry their user and are signed with HMAC-SHA256; nothing is stored. */
export class Tokens {
  readonly #key: string | Buffer
  readonly #lifetimeMs: number
  readonly #now: () => number

  /** @param now epoch milliseconds */
  constructor(key: string | Buffer, lifetimeMs = 3_600_000, now: () => number = Date.now) {
    this.#key = key
    this.#lifetimeMs = lifetimeMs
    this.#now = now
  }

  issue(user: string): string {
    const payload = JSON.stringify({ user, expires: this.#now() + this.#lifetimeMs })
    const encoded = Buffer.from(payload).toString('base64url')
    return `${encoded}.${this.#sign(encoded).toString('base64url')}`
  }

  /** The user of an Authorization header's token; undefined if it is missing, forged or expired. */
  userOf(authorization: string | undefined): string | undefined {
    const [, encoded, signature] = /^Bearer ([\w-]+)\.([\w-]+)$/.exec(authorization ?? '') ?? []
    if (encoded === undefined || signature === undefined) return undefined
    const [given, wanted] = [Buffer.from(signature, 'base64url'), this.#sign(encoded)]
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined
    // Signed by us, hence JSON of ours.
    const { user, expires } = claims.parse(JSON.parse(Buffer.from(encoded, 'base64url').toString()))
    return expires > this.#now() ? user : undefined
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest()
  }
}
