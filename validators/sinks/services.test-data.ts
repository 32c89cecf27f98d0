import { expect } from 'vitest'
import type { Incoming, Service } from './service.ts'

/** A POST of this body, as JSON unless it is a text. */
export function incoming(body: unknown, more: Partial<Incoming> = {}): Incoming {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    method: 'POST',
    path: [],
    query: new URLSearchParams(),
    contentType: 'application/json',
    body: text,
    ...more,
  }
}

/** What a service finds wrong with a body; it must refuse it just if there is something. */
export function problemsWith(service: Service, body: unknown): readonly string[] {
  const request = incoming(body)
  const { problems } = service.read(request)
  expect(service.answer(request, problems).status < 300).toBe(problems.length === 0)
  return problems
}

/** As Alertmanager writes it. */
export const alert = {
  status: 'firing',
  labels: { alertname: 'Down', job: 'gateway' },
  annotations: { summary: 'It is down.' },
  startsAt: '2026-01-02T03:04:05.678Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus/graph',
  fingerprint: '893bc66716c67c0a',
}

export const message = {
  version: '4',
  groupKey: '{}:{alertname="Down"}',
  truncatedAlerts: 0,
  status: 'firing',
  receiver: 'night',
  groupLabels: { alertname: 'Down' },
  commonLabels: { alertname: 'Down', job: 'gateway' },
  commonAnnotations: {},
  externalURL: 'http://host:9093',
  alerts: [alert],
}
