import { expect, it } from 'vitest'
import type { Action } from '../../lib/action.ts'
import { connect } from '../preflight.ts'
import { trial } from './expectation.ts'
import { type FaultTools, switchOn } from './fault.ts'

const nowhere = { url: 'http://127.0.0.1:9', ui: true, timeoutMs: 1 }
const { alertmanager } = connect(
  { prometheus: nowhere, loki: nowhere, alertmanager: nowhere, zipkin: nowhere, jaeger: undefined },
  1,
)

const broken = trial.parse({
  name: 'broken',
  fault: { kind: 'command', command: ['break'], lift: ['mend'] },
  expect: [{ alert: 'High' }],
})

/** Tools that write down what they are asked for; `fails` says which actions fail, and how often. */
function recorder(fails: Readonly<Record<string, number>> = {}): { tools: FaultTools; log: string[] } {
  const log: string[] = []
  const left = new Map(Object.entries(fails))
  const name = (action: Action) =>
    action.kind === 'command' ? action.argv.join(' ') : `${action.method} ${action.url}`
  const tools: FaultTools = {
    faultUrls: {},
    folder: '/project',
    perform: async (action) => {
      const failures = left.get(name(action)) ?? 0
      left.set(name(action), failures - 1)
      log.push(`${name(action)}${failures > 0 ? ' fails' : ''}`)
      if (failures > 0) throw new Error(`${name(action)} ended with exit code 1.`)
    },
    guard: (action) => {
      log.push(`guard ${name(action)}`)
      return () => void log.push(`unguard ${name(action)}`)
    },
  }
  return { tools, log }
}

it('guards what lifts a fault before it is switched on, and until it is lifted', async () => {
  const { tools, log } = recorder()
  const on = await switchOn(broken, 1000, tools, alertmanager)
  await on.lift()
  expect(log).toEqual(['guard mend', 'break', 'mend', 'unguard mend'])
})

it('lifts what could not be switched on whole, and says so', async () => {
  const { tools, log } = recorder({ break: 1 })
  await expect(switchOn(broken, 1000, tools, alertmanager)).rejects.toThrow(
    'The fault of "broken" could not be switched on: break ended with exit code 1.',
  )
  expect(log).toEqual(['guard mend', 'break fails', 'mend', 'unguard mend'])
})

it('tries to lift three times, and keeps the guard if it cannot', async () => {
  const [twice, always] = [recorder({ mend: 2 }), recorder({ mend: 9 })]
  await (await switchOn(broken, 1000, twice.tools, alertmanager)).lift()
  expect(twice.log.slice(2)).toEqual(['mend fails', 'mend fails', 'mend', 'unguard mend'])
  await expect((await switchOn(broken, 1000, always.tools, alertmanager)).lift()).rejects.toThrow('lift it yourself')
  expect(always.log).not.toContain('unguard mend')
})

it('sends a body as JSON, a text as it is', async () => {
  const sent: Action[] = []
  const { tools } = recorder()
  const call = (body: unknown) => ({ url: 'http://127.0.0.1:9/break', body })
  for (const body of [{ ratio: 0.3 }, 'ratio=0.3']) {
    const one = trial.parse({
      name: 'call',
      fault: { kind: 'call', call: call(body), lift: { url: 'http://127.0.0.1:9/mend', method: 'DELETE' } },
      expect: [{ alert: 'High' }],
    })
    await switchOn(one, 1000, { ...tools, perform: async (action) => void sent.push(action) }, alertmanager)
  }
  expect(sent).toMatchObject([
    { method: 'POST', body: '{"ratio":0.3}', headers: { 'content-type': 'application/json' } },
    { method: 'POST', body: 'ratio=0.3', headers: {} },
  ])
})

it('names the service that has no fault port', async () => {
  const leased = trial.parse({
    name: 'errors',
    load: { scenario: 'smoke.ts' },
    fault: { kind: 'service', service: 'shop', fault: 'error' },
    expect: [{ alert: 'High' }],
  })
  await expect(switchOn(leased, 1000, recorder().tools, alertmanager)).rejects.toThrow(
    'services.shop.faultUrl is not set',
  )
})
