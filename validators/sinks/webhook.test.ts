import { describe, expect, it } from 'vitest'
import { alert, incoming, message, problemsWith } from './services.test-data.ts'
import { webhook } from './webhook.ts'

describe('a webhook', () => {
  it('tells every alert, with its times', () => {
    const ended = { ...alert, status: 'resolved', endsAt: '2026-01-02T03:05:05.678Z' }
    const reading = webhook.read(incoming({ ...message, alerts: [alert, ended] }))
    expect(reading).toMatchObject({ status: 'firing', groupKey: message.groupKey, receiver: 'night', problems: [] })
    const startsAt = Date.parse(alert.startsAt)
    expect(reading.alerts).toEqual([
      { status: 'firing', labels: alert.labels, annotations: alert.annotations, startsAt },
      { status: 'resolved', labels: alert.labels, annotations: alert.annotations, startsAt, endsAt: startsAt + 60_000 },
    ])
    expect(reading.text).toContain('summary: It is down.')
  })

  it.each([
    ['no JSON', 'alert!', 'not JSON'],
    ['another version', { ...message, version: '3' }, 'version'],
    ['no alerts', { ...message, alerts: [] }, 'alerts'],
    ['a status that does not exist', { ...message, alerts: [{ ...alert, status: 'pending' }] }, 'alerts.0.status'],
    ['a time that is none', { ...message, alerts: [{ ...alert, startsAt: 'now' }] }, 'alerts.0.startsAt'],
    ['a fingerprint that is none', { ...message, alerts: [{ ...alert, fingerprint: '' }] }, 'alerts.0.fingerprint'],
    ['no group key', { ...message, groupKey: '' }, 'groupKey'],
    ['an end with an alert that fires', { ...message, status: 'resolved' }, 'an alert is firing'],
    ['a beginning without any', { ...message, alerts: [{ ...alert, status: 'resolved' }] }, 'no alert is'],
    ['labels in common that are not', { ...message, commonLabels: { job: 'todos' } }, 'job is called common'],
  ])('with %s is refused', (_, body, problem) => {
    expect(problemsWith(webhook, body)).toEqual([expect.stringContaining(problem)])
  })

  it('may hold back the alert that fires when it is cut', () => {
    const cut = { ...message, truncatedAlerts: 1, alerts: [{ ...alert, status: 'resolved' }] }
    expect(problemsWith(webhook, cut)).toEqual([])
  })
})
