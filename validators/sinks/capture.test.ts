import { describe, expect, it, test } from 'vitest'
import { capturedServices, unknownService } from './capture.ts'
import { incoming, message } from './services.test-data.ts'

describe('the other services', () => {
  const services = capturedServices()
  const card = { body: [{ text: '[FIRING:1] Down', color: 'Attention' }, { text: 'It is down.' }] }
  const form = new URLSearchParams({ Action: 'Publish', Message: 'It is down.', Subject: '[FIRING:1] Down' }).toString()
  const good: Readonly<Record<string, unknown>> = {
    opsgenie: { alias: 'k', message: 'Down', description: 'It is down.', details: { a: 'b' }, source: 's' },
    victorops: {
      message_type: 'CRITICAL',
      entity_id: 'k',
      entity_display_name: 'Down',
      state_message: 'x',
      monitoring_tool: 'm',
    },
    telegram: { chat_id: '1', text: '<b>Alerts Firing:</b> Down', parse_mode: 'HTML' },
    webex: { markdown: '[FIRING:1] Down' },
    discord: { content: '', embeds: [{ title: 'Down', description: 'It is down.', color: 0x99_2d_22 }] },
    msteams: { title: 'Down', text: 'x', summary: 'y', themeColor: '8C1A1A' },
    msteamsv2: { type: 'message', attachments: [{ content: card }] },
    mattermost: { text: '', attachments: [{ title: '[FIRING:1] Down', fallback: 'x' }] },
    rocketchat: { channel: '#a', attachments: [{ title: 'Down', text: 'x', color: 'danger' }] },
    wechat: { msgtype: 'markdown', markdown: { content: '[FIRING:1] Down' }, text: { content: '' } },
    sns: form,
    jira: {
      fields: { summary: '[FIRING:1] Down', project: { key: 'A' }, issuetype: { name: 'Bug' }, labels: ['ALERT{k}'] },
    },
    incidentio: { ...message, version: '1' },
  }

  test.each(Object.keys(services))('%s is read, and accepted', (type) => {
    const service = services[type]
    const request = incoming(good[type], { path: type === 'jira' ? ['issue'] : ['v2', 'alerts'] })
    const reading = service?.read(request)
    expect(reading).toMatchObject({ status: 'firing', problems: [] })
    expect(reading?.text).toContain('Down')
    expect(service?.answer(request, []).status).toBeLessThan(300)
  })

  test.each([...Object.keys(services)])('%s is refused if it is not of its shape', (type) => {
    const service = services[type]
    const request = incoming('{}', { path: type === 'jira' ? ['issue'] : [] })
    const problems = service?.read(request).problems ?? []
    expect(problems).not.toEqual([])
    expect(service?.answer(request, problems).status).toBe(400)
  })

  it('Opsgenie closes by alias', () => {
    const path = ['v2', 'alerts', 'abc', 'close']
    expect(services.opsgenie?.read(incoming({ source: 'x' }, { path }))).toMatchObject({
      status: 'resolved',
      groupKey: 'abc',
    })
  })

  it('WeCom gives a token, which is no notification', () => {
    const asked = incoming('', { method: 'GET', path: ['gettoken'] })
    expect(JSON.parse(services.wechat?.aside?.(asked)?.body ?? '')).toMatchObject({
      errcode: 0,
      access_token: 'muster',
    })
    expect(services.wechat?.aside?.(incoming('', { path: ['message', 'send'] }))).toBeUndefined()
  })

  it('Jira finds the issue that it was told of, until a transition has closed it', () => {
    const { jira } = capturedServices()
    const search = () =>
      JSON.parse(
        jira?.aside?.(incoming({ jql: 'statusCategory != Done and labels="ALERT{k}"' }, { path: ['search'] }))?.body ??
          '',
      )
    expect(search()).toMatchObject({ total: 0, issues: [] })
    jira?.answer(incoming(good.jira, { path: ['rest', 'api', '2', 'issue'] }), [])
    const { key } = search().issues[0]
    const transitions = ['issue', key, 'transitions']
    const query = new URLSearchParams('transition=Done')
    const listed = jira?.aside?.(incoming('', { method: 'GET', path: transitions, query }))
    expect(JSON.parse(listed?.body ?? '')).toEqual({ transitions: [{ id: '1', name: 'Done' }] })
    expect(jira?.answer(incoming(good.jira, { path: ['issue', key], method: 'PUT' }), []).status).toBe(204)
    expect(jira?.aside?.(incoming({ transition: { id: '1' } }, { path: transitions }))?.status).toBe(204)
    expect(search().issues).toEqual([])
  })

  it('a service that muster does not know is taken as text', () => {
    expect(unknownService.read(incoming('[RESOLVED] Down'))).toMatchObject({ status: 'resolved', problems: [] })
    expect(unknownService.read(incoming('')).problems).toHaveLength(1)
  })
})
