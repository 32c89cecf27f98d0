import { describe, expect, it } from 'vitest'
import { pagerduty, sampleRoutingKey } from './pagerduty.ts'
import { alert, incoming, problemsWith } from './services.test-data.ts'

describe('a PagerDuty event', () => {
  const payload = { summary: 'Down', source: 'gateway', severity: 'critical' }
  const event = { routing_key: sampleRoutingKey, event_action: 'trigger', dedup_key: 'abc', payload }

  it('tells the alerts that its details hold, as YAML has made them', () => {
    const labels = { alertname: 'Down', shard: 5 }
    const firing = [
      {
        ...alert,
        labels,
        annotations: { summary: null, description: { p95: 'high' } },
        generatorURL: null,
        fingerprint: 8,
      },
    ]
    const links = [{ href: 'https://r/x', text: 'Runbook' }]
    const reading = pagerduty.read(
      incoming({ ...event, links, payload: { ...payload, custom_details: { firing, resolved: [], note: 'a' } } }),
    )
    expect(reading).toMatchObject({ status: 'firing', groupKey: 'abc', problems: [] })
    expect(reading.alerts).toMatchObject([
      { labels: { alertname: 'Down', shard: '5' }, annotations: { summary: '', description: '{"p95":"high"}' } },
    ])
    expect(reading.text).toContain('Runbook\nhttps://r/x')
    expect(reading.text).toContain('note: a')
  })

  it('tells the alerts of details that are JSON in a text', () => {
    const custom_details = { resolved: JSON.stringify([{ ...alert, status: 'resolved', endsAt: alert.startsAt }]) }
    const { alerts } = pagerduty.read(incoming({ ...event, payload: { ...payload, custom_details } }))
    expect(alerts).toMatchObject([{ status: 'resolved', endsAt: Date.parse(alert.startsAt) }])
  })

  it.each([
    ['trigger', 'firing'],
    ['resolve', 'resolved'],
    ['acknowledge', undefined],
  ])('%s is %s', (event_action, status) => {
    expect(pagerduty.read(incoming({ ...event, event_action })).status).toBe(status)
  })

  it.each([
    ['no JSON', 'event', 'not JSON'],
    ['a routing key of another length', { ...event, routing_key: 'x' }, "Length of 'routing_key'"],
    ['an action that does not exist', { ...event, event_action: 'open' }, 'event_action'],
    ['a trigger without payload', { ...event, payload: undefined }, "'payload' is missing"],
    ['a resolution without key', { ...event, event_action: 'resolve', dedup_key: undefined }, "'dedup_key' is missing"],
    ['a key beyond 255 characters', { ...event, dedup_key: 'x'.repeat(256) }, 'dedup_key'],
    ['an empty summary', { ...event, payload: { ...payload, summary: '' } }, 'payload.summary'],
    ['a summary beyond 1,024 characters', { ...event, payload: { ...payload, summary: 'x'.repeat(1025) } }, 'summary'],
    ['no source', { ...event, payload: { ...payload, source: '' } }, 'payload.source'],
    ['a severity that does not exist', { ...event, payload: { ...payload, severity: 'page' } }, 'payload.severity'],
    [
      'more than 512 kB',
      { ...event, payload: { ...payload, custom_details: { x: 'x'.repeat(512_000) } } },
      'larger than 512 kB',
    ],
  ])('with %s is refused', (_, body, problem) => {
    expect(problemsWith(pagerduty, body)).toEqual([expect.stringContaining(problem)])
  })

  it.each([
    ['a link that is none', { links: [{ href: 'runbooks/x' }] }, 'links.0.href: "runbooks/x" is no address'],
    ['an image without TLS', { images: [{ src: 'http://a/b.png' }] }, 'images.0.src: "http://a/b.png" is no address'],
    ['a client that is no address', { client_url: 'here' }, 'client_url: "here" is no address'],
  ])('with %s is taken, and the flaw is named', (_, more, flaw) => {
    const request = incoming({ ...event, ...more })
    const { problems } = pagerduty.read(request)
    expect(problems).toEqual([expect.stringContaining(flaw)])
    expect(pagerduty.answer(request, problems).status).toBe(202)
  })
})
