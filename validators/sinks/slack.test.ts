import { describe, expect, it } from 'vitest'
import { incoming, problemsWith } from './services.test-data.ts'
import { slack } from './slack.ts'

describe('a Slack message', () => {
  const attachment = {
    title: '[RESOLVED] Down',
    title_link: 'http://a/b',
    text: '&lt;p95&gt; <https://r/x|Runbook>',
    fallback: 'f',
  }

  const button = { type: 'button', text: 'a', url: 'https://a' }

  it('is read as a human sees it', () => {
    const fields = [{ title: 'Service', value: 'gateway', short: true }]
    const actions = [{ type: 'button', text: 'Dashboard', url: 'https://d/x' }]
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: 'from <https://b|block>' } }]
    const { text, status, problems } = slack.read(
      incoming({ text: 'hello', attachments: [{ ...attachment, fields, actions }], blocks }),
    )
    expect(problems).toEqual([])
    expect(status).toBe('resolved')
    expect(text.split('\n')).toEqual([
      'hello',
      '[RESOLVED] Down',
      'http://a/b',
      '<p95> Runbook https://r/x',
      'Service',
      'gateway',
      'Dashboard',
      'https://d/x',
      'from block https://b',
    ])
  })

  it.each([
    [{ title: 'Down', color: 'danger' }, 'firing'],
    [{ title: 'Down', color: 'good' }, 'resolved'],
    [{ title: 'Down', color: '#36a64f' }, undefined],
    [{ title: '[FIRING:3] Down', color: 'good' }, 'firing'],
  ])('%j is %s', (attached, status) => {
    expect(slack.read(incoming({ attachments: [attached] })).status).toBe(status)
  })

  it.each([
    ['no JSON', 'payload', 'not JSON'],
    ['nothing to read', { attachments: [{ fallback: 'x', text: '' }] }, 'no_text'],
    ['no content at all', { channel: '#a' }, 'no_text'],
    ['101 attachments', { attachments: Array(101).fill(attachment) }, 'attachments'],
    ['51 blocks', { text: 'a', blocks: Array(51).fill({ type: 'divider' }) }, 'blocks'],
    ['a block without type', { text: 'a', blocks: [{}] }, 'blocks.0.type'],
    ['a field without value', { attachments: [{ ...attachment, fields: [{ title: 'a' }] }] }, 'fields.0.value'],
  ])('with %s is refused', (_, body, problem) => {
    expect(problemsWith(slack, body)).toEqual([expect.stringContaining(problem)])
  })

  it.each([
    ['a text beyond 40,000 characters', { text: 'x'.repeat(40_001) }, 'text: Slack cuts 40001'],
    ['a link that is none', { attachments: [{ ...attachment, title_link: 'runbooks/x' }] }, 'title_link: "runbooks/x"'],
    ['a colour that is none', { attachments: [{ ...attachment, color: 'reddish' }] }, 'color: "reddish"'],
    ['a long footer', { attachments: [{ ...attachment, footer: 'x'.repeat(301) }] }, 'footer: Slack cuts 301'],
    [
      'six buttons',
      { attachments: [{ ...attachment, actions: Array(6).fill(button) }] },
      'actions: Slack shows 5 of 6',
    ],
    [
      'a button without address',
      { attachments: [{ ...attachment, actions: [{ ...button, url: 'x' }] }] },
      'attachments.0.actions: "x" is no address',
    ],
  ])('with %s is taken, and the flaw is named', (_, body, flaw) => {
    const request = incoming(body)
    const { problems } = slack.read(request)
    expect(problems).toEqual([expect.stringContaining(flaw)])
    expect(slack.answer(request, problems)).toMatchObject({ status: 200, body: 'ok' })
  })
})
