import { expect, test } from 'vitest'
import { parseAlertmanagerFile } from './alertmanager-file.ts'
import { receiverTypes } from './alertmanager-schema.ts'
import { globalSettings, integrationTypes } from './integrations.ts'
import { rewrite } from './rewrite.ts'
import { readTree, writeTree } from './yaml-tree.ts'

const destinations = {
  url: (type: string, id: string) => `http://127.0.0.1:1/${type}/${id}`,
  smtp: '127.0.0.1:2',
  proxy: 'http://127.0.0.1:3',
}

/** Every field of a secret, an address or a file that Alertmanager 0.31 has, by type (config/notifiers.go and common/config). */
const dangerous: Readonly<Record<string, readonly string[]>> = {
  discord: ['webhook_url', 'webhook_url_file'],
  email: [
    'smarthost',
    'auth_username',
    'auth_password',
    'auth_password_file',
    'auth_secret',
    'auth_secret_file',
    'auth_identity',
  ],
  incidentio: ['url', 'url_file', 'alert_source_token', 'alert_source_token_file'],
  jira: ['api_url'],
  mattermost: ['webhook_url', 'webhook_url_file'],
  msteams: ['webhook_url', 'webhook_url_file'],
  msteamsv2: ['webhook_url', 'webhook_url_file'],
  opsgenie: ['api_key', 'api_key_file', 'api_url'],
  pagerduty: ['service_key', 'service_key_file', 'routing_key', 'routing_key_file', 'url'],
  pushover: ['user_key', 'user_key_file', 'token', 'token_file'],
  rocketchat: ['api_url', 'token_id', 'token_id_file', 'token', 'token_file'],
  slack: ['api_url', 'api_url_file', 'app_token', 'app_token_file', 'app_url'],
  sns: ['api_url', 'sigv4'],
  telegram: ['api_url', 'bot_token', 'bot_token_file', 'chat_id_file'],
  victorops: ['api_key', 'api_key_file', 'api_url'],
  webex: ['api_url'],
  webhook: ['url', 'url_file'],
  wechat: ['api_secret', 'api_secret_file', 'corp_id', 'api_url'],
}

const httpConfig = `{ proxy_url: 'http://LEAK', bearer_token_file: LEAK, authorization: { credentials: LEAK, credentials_file: LEAK }, basic_auth: { username: LEAK, password_file: LEAK }, oauth2: { client_id: LEAK, client_secret: LEAK, token_url: 'https://LEAK' }, tls_config: { ca_file: LEAK, key: LEAK }, http_headers: { X-Key: { secrets: [LEAK], files: [LEAK] } }, proxy_connect_header: { X: [LEAK] } }`

function fileWith(receiver: string, global = '') {
  return `${global}route: { receiver: r }\nreceivers:\n  - name: r\n${receiver}\n`
}

function rewritten(text: string): string {
  return writeTree(rewrite(parseAlertmanagerFile(text, 'a.yml'), destinations).tree)
}

test('there is a rule for every receiver type, and for no other', () => {
  expect(Object.keys(integrationTypes).sort()).toEqual(receiverTypes.map((key) => key.replace('_configs', '')).sort())
  expect(Object.keys(dangerous).sort()).toEqual(Object.keys(integrationTypes).sort())
})

test.each(Object.entries(dangerous))(
  'of %s no secret, address or file gets into the rewritten file',
  (type, fields) => {
    const lines = [
      ...fields.map((field) => `        ${field}: LEAK-${field}`),
      ...(type === 'email' ? ['        to: me@x'] : [`        http_config: ${httpConfig}`]),
    ]
    const text = fileWith(`    ${type}_configs:\n      - send_resolved: true\n${lines.join('\n')}`)
    expect(rewritten(text)).not.toContain('LEAK')
  },
)

test('no setting is both handed on and replaced', () => {
  for (const { kept, replaced } of [...Object.values(integrationTypes), globalSettings]) {
    expect(kept.filter((key) => replaced.includes(key))).toEqual([])
  }
})

test('nothing is handed on whose name speaks of a file, an address or a secret', () => {
  // Links and pictures in a text, ways through the receiving service; none of them is asked by Alertmanager.
  const texts = [
    'avatar_url',
    'icon_url',
    'image_url',
    'thumb_url',
    'client_url',
    'url',
    'url_title',
    'routing_key',
    'user_key',
  ]
  const suspicious = /file|url|secret|token|key|password|credential|host|proxy|tls/
  for (const [type, { kept }] of Object.entries(integrationTypes)) {
    const found = kept.filter((key) => suspicious.test(key) && !texts.includes(key) && key !== 'require_tls')
    expect([type, found]).toEqual([type, []])
    expect(kept.filter((key) => (dangerous[type] ?? []).includes(key))).toEqual([])
  }
})

test('the global section keeps what is no address and no secret', () => {
  const lines = globalSettings.replaced.map((key) => `  ${key}: ${key === 'http_config' ? httpConfig : 'LEAK'}`)
  const global = `global:\n  resolve_timeout: 3m\n  smtp_from: me@x\n${lines.join('\n')}\n`
  const text = rewritten(fileWith('    webhook_configs: [{ url: http://x }]', global))
  expect(text).not.toContain('LEAK')
  expect(text).toContain('"resolve_timeout": 3m')
  expect(text).toContain('"smtp_from": "me@x"')
})

test('tracing is left out', () => {
  const text = `${fileWith('    webhook_configs: [{ url: http://x }]')}tracing: { endpoint: LEAK, headers: { a: LEAK } }\n`
  expect(rewritten(text)).not.toMatch(/LEAK|tracing/)
})

test('a setting that nobody knows is refused, and the sentence says where it stands', () => {
  const text = fileWith('    slack_configs: [{ api_url: http://x, new_secret_file: LEAK }]')
  expect(() => rewritten(text)).toThrow(/receivers\[0\]\.slack_configs\[0\]\.new_secret_file/)
  expect(() =>
    rewritten(fileWith('    webhook_configs: [{ url: http://x }]', 'global: { carrier_pigeon_url: LEAK }\n')),
  ).toThrow(/global\.carrier_pigeon_url/)
  expect(() => rewritten(`${fileWith('    webhook_configs: [{ url: http://x }]')}extension: LEAK\n`)).toThrow(
    /extension/,
  )
})

test('a receiver type that nobody knows is refused', () => {
  expect(() => rewritten(fileWith('    pigeon_configs: [{ url: http://x }]'))).toThrow(/pigeon_configs/)
})

test('texts, options and templates stay; templates are sought where the file stands', () => {
  const text = rewritten(
    `templates: [t/*.tmpl]\n${fileWith("    slack_configs: [{ api_url: http://x, channel: '#a', title: '{{ .Status }}', short_fields: on }]")}`,
  )
  expect(text).toContain('"title": "{{ .Status }}"')
  expect(text).toContain('"short_fields": on')
  expect(text).toContain(`"${process.cwd()}/t/*.tmpl"`)
})

test('Pushover and the first Events API of PagerDuty are stood in for, and say so', () => {
  const file = parseAlertmanagerFile(
    fileWith('    pushover_configs: [{ user_key: LEAK, token: LEAK }]\n    pagerduty_configs: [{ service_key: LEAK }]'),
    'a.yml',
  )
  const { integrations, tree } = rewrite(file, destinations)
  expect(integrations.map(({ type, runsAs, standIn }) => [type, runsAs, standIn !== undefined])).toEqual([
    ['pushover', 'mattermost[0]', true],
    ['pagerduty', 'pagerduty[0]', true],
  ])
  expect(writeTree(tree)).not.toMatch(/pushover_configs|service_key|LEAK/)
})

test('mail identifies itself as the user has it: by a password, by a secret, or not at all', () => {
  const mail = (settings: string, global = '') =>
    rewritten(fileWith(`    email_configs: [{ to: me@x, ${settings} }]`, global))
  expect(mail('auth_username: u, auth_password_file: f')).toMatch(/"auth_password": "muster"/)
  expect(mail('auth_username: u, auth_password_file: f')).not.toMatch(/auth_secret/)
  expect(mail('hello: h', 'global: { smtp_auth_username: u, smtp_auth_secret: s }\n')).toMatch(
    /"auth_secret": "muster"/,
  )
  expect(mail('hello: h')).not.toMatch(/auth_/)
})

test('the file itself is not changed', () => {
  const text = fileWith('    webhook_configs: [{ url: http://x }]')
  const file = parseAlertmanagerFile(text, 'a.yml')
  rewrite(file, destinations)
  expect(writeTree(file.tree)).toBe(writeTree(readTree(text, 'a.yml')))
})
