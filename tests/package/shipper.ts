import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { pause } from '../../lib/poll.ts'

/** Ships lines to Loki as an agent does: in batches, in order, each with the moment at which it was read. */
export class Shipper {
  /** Every third line that this fits is lost on its way. */
  losing: RegExp | undefined
  readonly #url: string
  readonly #labels: Readonly<Record<string, string>>
  readonly #stop = new AbortController()
  readonly #sending: Promise<void>
  #batch: [string, string][] = []
  #last = 0n
  #fitting = 0

  constructor(loki: string, labels: Readonly<Record<string, string>>) {
    this.#url = `${loki}/loki/api/v1/push`
    this.#labels = labels
    this.#sending = this.#run()
  }

  /** Ships what a process writes. */
  follow(stream: Readable): void {
    createInterface({ input: stream }).on('line', (line) => this.#take(line))
  }

  /** Ships what is appended to a file. @returns once it is followed to its end and this was stopped */
  async tail(path: string): Promise<void> {
    const file = await open(path, 'r')
    let rest = ''
    while (!this.#stop.signal.aborted) {
      const { bytesRead, buffer } = await file.read()
      const lines = (rest + buffer.toString('utf8', 0, bytesRead)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#take(line)
      if (bytesRead === 0) await pause(100, this.#stop.signal).catch(() => undefined)
    }
    await file.close()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#sending
  }

  #take(line: string): void {
    if (this.losing?.test(line)) {
      this.#fitting += 1
      if (this.#fitting % 3 === 0) return
    }
    const now = BigInt(Date.now()) * 1_000_000n
    // Two lines of one moment and one text would be one to Loki.
    this.#last = now > this.#last ? now : this.#last + 1n
    this.#batch.push([String(this.#last), line])
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await pause(200, this.#stop.signal).catch(() => undefined)
      const values = this.#batch
      if (values.length === 0) continue
      this.#batch = []
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ streams: [{ stream: this.#labels, values }] }),
      })
      if (!response.ok) throw new Error(`Loki took no lines: ${await response.text()}`)
    }
  }
}
