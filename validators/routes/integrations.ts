import { smtpAccount } from '../sinks/smtp.ts'
import { type Branch, branch, plain, quoted, type Tree, textAt } from './yaml-tree.ts'

/** Where a rewritten integration is to deliver. */
export interface Destination {
  /** http://127.0.0.1:<port>/<type>/<id> of this integration's sink. */
  readonly url: string
  /** host:port of the mail sink. */
  readonly smtp: string
  /** Names the integration at its sink; of letters, digits and hyphens, so that no URL has to escape it. */
  readonly id: string
}

/** How one of Alertmanager's receiver types is made harmless. */
export interface IntegrationType {
  /** Settings that are handed on as they are: texts, templates, options, names. What is in neither list is refused. */
  readonly kept: readonly string[]
  /** Settings that say where to and by which secret; replaced or left out, and never looked at but for being there. */
  readonly replaced: readonly string[]
  /** Alertmanager's default of send_resolved. */
  readonly sendsResolved: boolean
  /** What is set instead of `replaced`. */
  readonly set: (destination: Destination, original: Branch, global: Branch) => Readonly<Record<string, Tree>>
  /** Why, and the type that delivers in its place: Alertmanager's code has an address that no setting changes. */
  readonly standIn?: { readonly when: (original: Branch) => boolean; readonly as: string; readonly why: string }
}

/** Stands wherever Alertmanager wants a secret; PagerDuty's keys have 32 characters. */
const dummy = quoted('muster00muster00muster00muster00')

const has = (original: Branch, ...keys: readonly string[]) => keys.some((key) => original.has(key))

/** Types whose destination is one URL. */
const to =
  (key: string, more: Readonly<Record<string, Tree>> = {}): IntegrationType['set'] =>
  ({ url }) => ({ [key]: quoted(url), ...more })

/**
 * Every receiver type of Alertmanager 0.31 (config/notifiers.go), by its key in a receiver without `_configs`.
 * `http_config` (credentials, proxies, TLS files, OAuth2's token URLs, headers) is replaced for all of them.
 */
export const integrationTypes: Readonly<Record<string, IntegrationType>> = {
  discord: {
    kept: ['content', 'title', 'message', 'username', 'avatar_url'],
    replaced: ['webhook_url', 'webhook_url_file'],
    sendsResolved: true,
    set: to('webhook_url'),
  },
  email: {
    kept: ['to', 'from', 'hello', 'headers', 'html', 'text', 'require_tls', 'threading'],
    replaced: [
      'smarthost',
      'auth_username',
      'auth_password',
      'auth_password_file',
      'auth_secret',
      'auth_secret_file',
      'auth_identity',
      'tls_config',
      'force_implicit_tls',
    ],
    sendsResolved: false,
    set: ({ smtp, id }, original, global) => ({
      smarthost: quoted(smtp),
      // The sink's certificate is its own, and it begins in the clear, as port 587 does.
      tls_config: branch({ insecure_skip_verify: plain('true') }),
      force_implicit_tls: plain('false'),
      headers: withHeader(original, id),
      ...(has(original, 'auth_username') || has(global, 'smtp_auth_username')
        ? { auth_username: quoted(smtpAccount.username) }
        : {}),
      // As the user has it: which of the two there are decides by which method Alertmanager identifies itself.
      ...(has(original, 'auth_password', 'auth_password_file') ||
      has(global, 'smtp_auth_password', 'smtp_auth_password_file')
        ? { auth_password: quoted(smtpAccount.password) }
        : {}),
      ...(has(original, 'auth_secret', 'auth_secret_file') || has(global, 'smtp_auth_secret', 'smtp_auth_secret_file')
        ? { auth_secret: quoted(smtpAccount.password) }
        : {}),
    }),
  },
  incidentio: {
    kept: ['max_alerts', 'timeout'],
    replaced: ['url', 'url_file', 'alert_source_token', 'alert_source_token_file'],
    sendsResolved: true,
    set: to('url', { alert_source_token: dummy }),
  },
  jira: {
    kept: [
      'api_type',
      'project',
      'summary',
      'description',
      'labels',
      'priority',
      'issue_type',
      'reopen_transition',
      'resolve_transition',
      'wont_fix_resolution',
      'reopen_duration',
      'fields',
    ],
    replaced: ['api_url'],
    sendsResolved: true,
    set: to('api_url'),
  },
  mattermost: {
    kept: ['channel', 'username', 'text', 'icon_url', 'icon_emoji', 'attachments', 'type', 'props', 'priority'],
    replaced: ['webhook_url', 'webhook_url_file'],
    sendsResolved: true,
    set: to('webhook_url'),
  },
  msteams: {
    kept: ['title', 'summary', 'text'],
    replaced: ['webhook_url', 'webhook_url_file'],
    sendsResolved: true,
    set: to('webhook_url'),
  },
  msteamsv2: {
    kept: ['title', 'text'],
    replaced: ['webhook_url', 'webhook_url_file'],
    sendsResolved: true,
    set: to('webhook_url'),
  },
  opsgenie: {
    kept: [
      'message',
      'description',
      'source',
      'details',
      'entity',
      'responders',
      'actions',
      'tags',
      'note',
      'priority',
      'update_alerts',
    ],
    replaced: ['api_key', 'api_key_file', 'api_url'],
    sendsResolved: true,
    set: to('api_url', { api_key: dummy }),
  },
  pagerduty: {
    kept: [
      'client',
      'client_url',
      'description',
      'details',
      'images',
      'links',
      'source',
      'severity',
      'class',
      'component',
      'group',
      'timeout',
    ],
    replaced: ['service_key', 'service_key_file', 'routing_key', 'routing_key_file', 'url'],
    sendsResolved: true,
    set: to('url', { routing_key: dummy }),
    standIn: {
      when: (original) => has(original, 'service_key', 'service_key_file'),
      as: 'pagerduty',
      why: "the address of PagerDuty's Events API v1 (service_key) is fixed in Alertmanager's code; v2 stands in for it",
    },
  },
  pushover: {
    kept: [
      'title',
      'message',
      'url',
      'url_title',
      'device',
      'sound',
      'priority',
      'retry',
      'expire',
      'ttl',
      'html',
      'monospace',
    ],
    replaced: ['user_key', 'user_key_file', 'token', 'token_file'],
    sendsResolved: true,
    set: ({ url }, original) => ({
      webhook_url: quoted(url),
      // Title, text and link are rendered as Pushover's would be; what Pushover makes of them remains unproven.
      text: quoted(
        [
          textAt(original, 'title') ?? '{{ template "pushover.default.title" . }}',
          textAt(original, 'message') ?? '{{ template "pushover.default.message" . }}',
          textAt(original, 'url') ?? '{{ template "pushover.default.url" . }}',
        ].join('\n'),
      ),
    }),
    standIn: {
      when: () => true,
      as: 'mattermost',
      why: "Pushover's address is fixed in Alertmanager's code; its title, message and url are rendered for a sink instead",
    },
  },
  rocketchat: {
    kept: [
      'channel',
      'color',
      'title',
      'title_link',
      'text',
      'fields',
      'short_fields',
      'emoji',
      'icon_url',
      'image_url',
      'thumb_url',
      'link_names',
      'actions',
    ],
    replaced: ['api_url', 'token_id', 'token_id_file', 'token', 'token_file'],
    sendsResolved: false,
    set: to('api_url', { token: dummy, token_id: dummy }),
  },
  slack: {
    kept: [
      'channel',
      'username',
      'color',
      'title',
      'title_link',
      'pretext',
      'text',
      'message_text',
      'fields',
      'short_fields',
      'footer',
      'fallback',
      'callback_id',
      'icon_emoji',
      'icon_url',
      'image_url',
      'thumb_url',
      'link_names',
      'mrkdwn_in',
      'actions',
      'timeout',
    ],
    replaced: ['api_url', 'api_url_file', 'app_token', 'app_token_file', 'app_url'],
    sendsResolved: false,
    set: to('api_url'),
  },
  sns: {
    kept: ['topic_arn', 'phone_number', 'target_arn', 'subject', 'message', 'attributes'],
    replaced: ['api_url', 'sigv4'],
    sendsResolved: true,
    set: to('api_url', {
      // Keys of its own: AWS's chain of credentials is never asked.
      sigv4: branch({ region: quoted('us-east-1'), access_key: quoted('muster'), secret_key: dummy }),
    }),
  },
  telegram: {
    kept: ['chat_id', 'message_thread_id', 'message', 'disable_notifications', 'parse_mode'],
    replaced: ['api_url', 'bot_token', 'bot_token_file', 'chat_id_file'],
    sendsResolved: true,
    set: ({ url }, original) => ({
      api_url: quoted(url),
      bot_token: dummy,
      ...(has(original, 'chat_id') ? {} : { chat_id: plain('1') }),
    }),
  },
  victorops: {
    kept: ['routing_key', 'message_type', 'state_message', 'entity_display_name', 'monitoring_tool', 'custom_fields'],
    replaced: ['api_key', 'api_key_file', 'api_url'],
    sendsResolved: true,
    set: to('api_url', { api_key: dummy }),
  },
  webex: {
    kept: ['message', 'room_id'],
    replaced: ['api_url'],
    sendsResolved: true,
    set: to('api_url'),
  },
  webhook: {
    kept: ['max_alerts', 'timeout'],
    replaced: ['url', 'url_file'],
    sendsResolved: true,
    set: to('url'),
  },
  wechat: {
    kept: ['message', 'to_user', 'to_party', 'to_tag', 'agent_id', 'message_type'],
    replaced: ['api_secret', 'api_secret_file', 'corp_id', 'api_url'],
    sendsResolved: false,
    set: to('api_url', { api_secret: dummy, corp_id: quoted('muster') }),
  },
}

/** Types whose `http_config` Alertmanager wants to hold credentials. */
export const wantsAuthorization: readonly string[] = ['webex']

/** The settings of `global:` by what becomes of them (config.GlobalConfig). */
export const globalSettings: { readonly kept: readonly string[]; readonly replaced: readonly string[] } = {
  kept: ['resolve_timeout', 'smtp_from', 'smtp_hello', 'smtp_require_tls'],
  replaced: [
    'http_config',
    'jira_api_url',
    'smtp_smarthost',
    'smtp_auth_username',
    'smtp_auth_password',
    'smtp_auth_password_file',
    'smtp_auth_secret',
    'smtp_auth_secret_file',
    'smtp_auth_identity',
    'smtp_tls_config',
    'smtp_force_implicit_tls',
    'slack_api_url',
    'slack_api_url_file',
    'slack_app_token',
    'slack_app_token_file',
    'slack_app_url',
    'pagerduty_url',
    'opsgenie_api_url',
    'opsgenie_api_key',
    'opsgenie_api_key_file',
    'wechat_api_url',
    'wechat_api_secret',
    'wechat_api_secret_file',
    'wechat_api_corp_id',
    'victorops_api_url',
    'victorops_api_key',
    'victorops_api_key_file',
    'telegram_api_url',
    'telegram_bot_token',
    'telegram_bot_token_file',
    'webex_api_url',
    'rocketchat_api_url',
    'rocketchat_token',
    'rocketchat_token_file',
    'rocketchat_token_id',
    'rocketchat_token_id_file',
  ],
}

function withHeader(original: Branch, id: string): Branch {
  const headers = original.get('headers')
  return new Map([...(headers instanceof Map ? headers : []), ['X-Muster-Receiver', quoted(id)]])
}
