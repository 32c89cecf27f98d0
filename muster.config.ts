import { defineConfig } from './validators/config.ts'

const quick = { http_req_duration: ['p(95)<500', 'p(99)<1000'] }

/** The sample services' plan. Without `target` and `backends` muster boots its own stack and loads the sample gateway. */
export default defineConfig({
  scenarios: [
    { file: 'scenarios/basic.ts', thresholds: quick },
    { file: 'scenarios/stress.ts', thresholds: quick },
    // The burst may be slow; what counts is that the service is quick before it, and well again right after.
    {
      file: 'scenarios/spike.ts',
      thresholds: {
        'http_req_duration{phase:baseline}': quick.http_req_duration,
        'http_req_duration{phase:recovery}': quick.http_req_duration,
      },
    },
  ],
  thresholds: { http_req_failed: ['rate<0.01'] },

  services: {
    gateway: {
      job: 'gateway',
      requests: { kind: 'http', metric: 'http_requests_total' },
      duration: 'http_request_duration_seconds',
      series: ['http_requests_in_flight', 'process_start_time_seconds'],
      logs: {
        selector: '{service_name="gateway"}',
        message: 'request completed',
        fields: ['timestamp', 'level', 'logger', 'message', 'request_id', 'trace_id', 'span_id'],
      },
      traces: { service: 'gateway' },
    },
    todos: {
      job: 'todos',
      requests: { kind: 'http', metric: 'http_requests_total' },
      duration: 'http_request_duration_seconds',
      series: ['http_requests_in_flight', 'process_start_time_seconds'],
      logs: {
        selector: '{service_name="todos"}',
        message: 'request completed',
        fields: ['timestamp', 'level', 'logger', 'message', 'request_id', 'trace_id', 'span_id'],
      },
      traces: { service: 'todos' },
    },
    webhooks: {
      job: 'webhooks',
      requests: { kind: 'queue', metric: 'webhook_deliveries_total', matchers: { status: 'delivered' } },
      duration: 'webhook_delivery_duration_seconds',
      series: ['webhook_queue_depth', 'webhook_retries_total', 'process_start_time_seconds'],
      logs: { selector: '{service_name="webhooks"}', message: 'delivery completed' },
      traces: { service: 'webhooks' },
    },
  },

  server: { p95: '500ms', errorRatio: 0.01 },

  // Two requests a second that muster itself sends, to see how soon each can be found.
  freshness: {
    sentinel: `${import.meta.dirname}/scenarios/sentinel.ts`,
    rate: 2,
    p95: { metrics: '3s', logs: '3s', traces: '3s' },
  },

  // The sample users' password: it is in every login, and must be in no log line.
  secrets: ['literal:correct horse'],

  // What users were promised; stack/config/rules/slo.yml is what `muster slo rules` makes of it.
  slos: [
    {
      name: 'availability',
      service: 'todos',
      team: 'todos',
      sli: {
        total: 'http_requests_total{job="todos"}',
        bad: 'http_requests_total{job="todos",status=~"5.."}',
        exclude: { route: '/health|/live|/ready|/metrics' },
      },
      objective: 0.999,
      runbook: 'https://muster.example/runbooks/TodosAvailabilityBudgetBurn.md',
      dashboard: '{{ $externalURL }}/graph?g0.expr=slo%3Aerror_ratio%3Arate1h',
    },
    {
      name: 'latency',
      service: 'gateway',
      team: 'platform',
      sli: { histogram: 'http_request_duration_seconds{job="gateway"}', threshold: '1s' },
      objective: 0.95,
      runbook: 'https://muster.example/runbooks/GatewayLatencyBudgetBurn.md',
      dashboard: '{{ $externalURL }}/graph?g0.expr=slo%3Aerror_ratio%3Arate1h',
    },
  ],

  // What must come of a fault, and nothing else: bounds follow from what Prometheus and Alertmanager say of themselves.
  alerts: [
    {
      name: 'gateway errors',
      load: { scenario: 'scenarios/smoke.ts', rate: 15 },
      at: '2s',
      fault: { kind: 'service', service: 'gateway', fault: 'error', ratio: 0.3 },
      expect: [
        {
          alert: 'GatewayHighErrorRate',
          labels: { severity: 'critical', service: 'gateway' },
          reaches: ['pagerduty', 'slack', 'email', 'slack-platform'],
          text: ['GatewayHighErrorRate', '/runbooks/GatewayHighErrorRate.md'],
          within: '12s',
        },
      ],
    },
    {
      name: 'webhook errors',
      load: { scenario: 'scenarios/smoke.ts', rate: 15 },
      at: '2s',
      fault: { kind: 'service', service: 'webhooks', fault: 'error', ratio: 0.3 },
      expect: [
        {
          alert: 'WebhookHighErrorRate',
          labels: { severity: 'critical', service: 'webhooks' },
          reaches: ['pagerduty', 'slack', 'email', 'slack-todos'],
          text: ['WebhookHighErrorRate', '/runbooks/WebhookHighErrorRate.md'],
          within: '12s',
        },
      ],
    },
  ],
})
