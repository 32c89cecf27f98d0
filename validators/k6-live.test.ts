import { createServer, type Server } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { freePort, LiveLook } from './k6-live.ts'

const quickly = { shortestMs: 20, longestMs: 20 }

let server: Server | undefined
let look: LiveLook | undefined
afterEach(() => {
  look?.end()
  server?.closeAllConnections()
  server?.close()
})

/** k6's REST interface, as k6 1.8.1 answers. */
async function k6Says(samples: Record<string, () => Record<string, number> | undefined>): Promise<number> {
  const port = await freePort()
  server = createServer((request, response) => {
    const name = request.url?.split('/').at(-1) ?? ''
    const sample = samples[name]?.()
    response.statusCode = sample ? 200 : 404
    response.end(
      JSON.stringify(sample ? { data: { type: 'metrics', id: name, attributes: { sample } } } : { errors: [] }),
    )
  })
  await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve))
  return port
}

it('tells the rate since the last look, and errors and p95 so far', async () => {
  let count = 0
  const begun = performance.now()
  const port = await k6Says({
    http_reqs: () => {
      count += 50
      return { count, rate: 7 }
    },
    http_req_failed: () => ({ rate: 0.02 }),
    http_req_duration: () => ({ avg: 3, 'p(95)': 12.5 }),
  })
  look = new LiveLook(port, quickly)
  await expect.poll(() => look?.latest, { timeout: 8000 }).toMatchObject({ errorRatio: 0.02, p95Ms: 12.5 })
  await expect.poll(() => look?.latest?.rate, { timeout: 8000 }).not.toBe(7)
  // 50 requests between two looks, which are 20 ms apart, or more on a busy machine.
  expect(look.latest?.rate).toBeGreaterThan((50 * 1000) / (performance.now() - begun))
  expect(look.latest?.rate).toBeLessThanOrEqual(2500)
})

it('leaves out what k6 has no samples of', async () => {
  let count = 0
  look = new LiveLook(await k6Says({ http_reqs: () => ({ count: ++count, rate: 3 }) }), quickly)
  await expect.poll(() => look?.latest, { timeout: 8000 }).toMatchObject({ errorRatio: null, p95Ms: null })
})

it('tells nothing and fails nothing where nobody answers', async () => {
  look = new LiveLook(await freePort())
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(look.latest).toBeUndefined()
})
