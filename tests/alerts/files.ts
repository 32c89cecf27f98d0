/** What an alert of the tests is like: its rule, and how Alertmanager treats it. */
export interface AlertFile {
  readonly name: string
  readonly metric?: string
  readonly for?: string
  readonly service?: string
  readonly kind?: 'source' | 'target'
  /** Absent: it falls through. */
  readonly route?: { readonly groupWait?: string; readonly receiver: string }
}

/** Rules that one fault of the gateway crosses, in the quick profile's times. */
export function rulesOf(group: string, alerts: readonly AlertFile[]): string {
  const rules = alerts.map(({ name, metric = 'http_requests_total', for: held = '3s', service = 'gateway', kind }) => ({
    alert: name,
    expr: `sum(rate(${metric}{job="gateway",status=~"5.."}[10s])) / sum(rate(${metric}{job="gateway"}[10s])) > 0.05`,
    for: held,
    labels: { service, ...(kind === undefined ? {} : { kind }) },
    annotations: { summary: `${name}: {{ $value | humanizePercentage }} of the requests fail.` },
  }))
  return JSON.stringify({ groups: [{ name: group, rules }] })
}

/** The sinks that the receivers of the tests post to, and one that refuses. */
export interface Places {
  /** host:port of muster's HTTP sinks. */
  readonly http: string
  /** host:port of its mail sink. */
  readonly smtp: string
  /** A URL that answers every notification with an error. */
  readonly refusing: string
}

export const receiverNames = ['everybody', 'pager', 'never-resolved', 'torn', 'half-dead', 'nobody', 'drill'] as const

/** Alertmanager's configuration with a route for each alert, in the quick profile's times. */
export function routesOf(marker: string, alerts: readonly AlertFile[], { http, smtp, refusing }: Places): string {
  const slack = (name: string, more: object = {}) => ({
    api_url: `http://${http}/slack/${name}`,
    channel: '#alerts',
    send_resolved: true,
    title: '{{ .Status }}: {{ .CommonLabels.alertname }}',
    text: '{{ .CommonAnnotations.summary }}',
    ...more,
  })
  const webhook = (url: string) => ({ url, send_resolved: true })
  return JSON.stringify({
    route: {
      receiver: 'unrouted',
      group_by: ['alertname'],
      group_wait: '1s',
      group_interval: '2s',
      repeat_interval: '1h',
      routes: alerts.flatMap(({ name, route }) =>
        route
          ? [
              {
                matchers: [`alertname="${name}"`],
                receiver: route.receiver,
                ...(route.groupWait === undefined ? {} : { group_wait: route.groupWait }),
              },
            ]
          : [],
      ),
    },
    inhibit_rules: [{ source_matchers: ['kind="source"'], target_matchers: ['kind="target"'], equal: ['service'] }],
    receivers: [
      { name: 'unrouted', webhook_configs: [webhook(`http://${http}/webhook/unrouted`)] },
      {
        name: 'everybody',
        slack_configs: [slack('slack')],
        pagerduty_configs: [
          { routing_key: 'k'.repeat(32), url: `http://${http}/pagerduty/pagerduty/v2/enqueue`, send_resolved: true },
        ],
        email_configs: [
          {
            to: 'email@muster.example',
            from: 'alertmanager@muster.example',
            smarthost: smtp,
            auth_username: 'muster',
            auth_password: 'muster',
            tls_config: { insecure_skip_verify: true },
            send_resolved: true,
          },
        ],
      },
      { name: 'pager', webhook_configs: [webhook(`http://${http}/webhook/pager`)] },
      { name: 'never-resolved', slack_configs: [slack('slack', { send_resolved: false })] },
      {
        name: 'torn',
        slack_configs: [slack('slack', { title: '{{ .Nonsense }}' })],
        webhook_configs: [webhook(`http://${http}/webhook/pager`)],
      },
      {
        name: 'half-dead',
        slack_configs: [slack('slack')],
        webhook_configs: [webhook(refusing)],
      },
      { name: 'nobody' },
      { name: 'drill', webhook_configs: [webhook(`http://${http}/webhook/drill`)] },
      { name: marker },
    ],
  })
}
