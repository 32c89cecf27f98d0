import { join } from 'node:path'
import type { StackState } from '../../stack/state.ts'
import { root } from '../harness.ts'

/** The system that the mistakes are made about. */
export interface Site {
  readonly urls: StackState['urls']
  /** Answers 401 to everything. */
  readonly guarded: string
}

/** What somebody does wrong on the first day, and what must come of it. */
export interface Mistake {
  readonly name: string
  /** What is typed behind `muster`; the config is added. */
  readonly args: readonly string[]
  /** TypeScript of the settings that a config without mistakes has instead. */
  readonly config?: (site: Site) => string
  readonly env?: (folder: string) => Readonly<Record<string, string>>
  readonly code: 1 | 2 | 3 | 4
  /** The check that tells of it in the report; else it is told on standard error, or by doctor. */
  readonly check?: string
  /** What the sentence must name: the thing, and the remedy. */
  readonly names: readonly [thing: RegExp, remedy: RegExp]
}

/** Nobody listens there, and fetch does not refuse the port by itself. */
const nothing = 'http://127.0.0.1:2'
const backends = (more: string) => `backends: { ...base.backends, ${more} }`
const todos = (more: string) => `services: { ...base.services, todos: { ...base.services.todos, ${more} } }`
const scenarios = (file: string) => `scenarios: [${JSON.stringify(join(root, 'tests', file))}]`

/** In the order in which they can be made. */
export const mistakes: readonly Mistake[] = [
  {
    name: 'A setting is misspelt',
    args: ['run'],
    config: () => `treshold: {}, ${todos(`log: base.services.todos.logs`)}`,
    code: 2,
    names: [/services\.todos\.log: is no setting of muster/, /did you mean logs\?/],
  },
  {
    name: 'The config is JSON',
    args: ['run', '--config', 'muster.config.json'],
    code: 2,
    names: [/muster\.config\.json is neither/, /rename it/],
  },
  {
    name: 'A URL has no scheme',
    args: ['run'],
    config: () => `target: { url: '127.0.0.1:8080' }`,
    code: 2,
    names: [/target\.url: "127\.0\.0\.1:8080" is no http or https URL/, /such as http:\/\/127\.0\.0\.1:8080/],
  },
  {
    name: 'A threshold has a typo',
    args: ['run'],
    config: () => `thresholds: { http_req_duratoin: ['p(95)<500'] }`,
    code: 2,
    names: [/http_req_duratoin/, /http_req_duration/],
  },
  {
    name: 'A scenario is misspelt',
    args: ['run', 'basics'],
    code: 2,
    names: [/no scenario "basics"/, /it has basic/],
  },
  {
    name: 'The target is not this machine',
    args: ['run'],
    config: () => `target: { url: 'http://shop.example' }`,
    code: 2,
    names: [/Load on shop\.example is not allowed/, /add it to target\.allow/],
  },
  {
    name: 'The variable with the token is not set',
    args: ['run'],
    config: ({ urls }) =>
      backends(`prometheus: { url: '${urls.prometheus}', auth: { type: 'bearer', tokenEnv: 'PROMETHEUS_TOKEN' } }`),
    code: 2,
    names: [/backends\.prometheus\.auth names the environment variable PROMETHEUS_TOKEN/, /export it/],
  },
  {
    name: 'The folder for reports is a file',
    args: ['run', '--out', 'muster.config.mts'],
    code: 2,
    names: [
      /Cannot write the report to \S+muster\.config\.mts\S+ a part of the path is a file/,
      /choose another folder with --out/,
    ],
  },
  {
    name: 'A reporter is misspelt',
    args: ['run', '--reporter', 'junti:junit.xml'],
    code: 2,
    names: [/no reporter "junti:junit\.xml"/, /name terminal, junit/],
  },
  {
    name: 'Go is missing, and nothing is built yet',
    args: ['run'],
    env: (folder) => ({ PATH: withoutGo(), XDG_CACHE_HOME: join(folder, 'empty') }),
    code: 3,
    names: [/Go is needed to build k6/, /install Go/],
  },
  {
    name: 'The cache cannot be written',
    args: ['run'],
    env: (folder) => ({ XDG_CACHE_HOME: join(folder, 'muster.config.mts') }),
    code: 3,
    names: [/cache .*muster\.config\.mts\/muster cannot be written/, /XDG_CACHE_HOME/],
  },
  {
    name: 'The service is not running, or at another port',
    args: ['run'],
    config: () => `target: { url: '${nothing}' }`,
    code: 3,
    names: [/target http:\/\/127\.0\.0\.1:2 does not answer/, /is the service running, and is target\.url right\?/],
  },
  {
    name: 'Prometheus is at another port',
    args: ['run'],
    config: () => backends(`prometheus: { url: '${nothing}' }`),
    code: 3,
    names: [/prometheus at http:\/\/127\.0\.0\.1:2 refused the connection/, /is the port right\?/],
  },
  {
    name: "Prometheus' URL is Loki's",
    args: ['run'],
    config: ({ urls }) => backends(`prometheus: { url: '${urls.loki}' }`),
    code: 3,
    names: [/^prometheus at \S+ answered 404[^\n]*$/, /is that really the address of prometheus\?/],
  },
  {
    name: 'https is written where http is spoken',
    args: ['run'],
    config: ({ urls }) => backends(`loki: { url: '${urls.loki?.replace('http:', 'https:')}' }`),
    code: 3,
    names: [/loki at https:\/\/\S+ does not speak TLS/, /write http:\/\/ instead/],
  },
  {
    name: 'A backend wants a token',
    args: ['run'],
    config: ({ guarded }) => backends(`prometheus: { url: '${guarded}' }`),
    code: 3,
    names: [/prometheus at \S+ answered 401/, /set backends\.prometheus\.auth/],
  },
  {
    name: 'A job is misspelt',
    args: ['run'],
    config: () => todos(`job: 'todo'`),
    code: 3,
    names: [/no target of job "todo" \(its jobs: .*todos/, /correct services\.<name>\.job/],
  },
  {
    name: 'The counter has another name',
    args: ['doctor'],
    config: () => todos(`requests: { kind: 'http', metric: 'http_request_total' }`),
    code: 1,
    names: [/job todos has no series http_request_total/, /write +metric: 'http_requests_total'/],
  },
  {
    name: 'The label of the route has another name',
    args: ['doctor'],
    config: () => todos(`requests: { kind: 'http', metric: 'http_requests_total', route: 'routes' }`),
    code: 1,
    names: [/http_requests_total has no label routes/, /write +route: 'route'/],
  },
  {
    name: 'The selector of logs matches nothing',
    args: ['doctor'],
    config: () => todos(`logs: { selector: '{app="todos"}', message: 'request completed' }`),
    code: 1,
    names: [/\{app="todos"\} matched no line/, /Loki's labels are .*service_name/],
  },
  {
    name: 'The service has another name in traces',
    args: ['doctor'],
    config: () => todos(`traces: { service: 'todo' }`),
    code: 1,
    names: [/no span of todo was ever stored/, /write +service: 'todos'/],
  },
  {
    name: 'The target has a path too many',
    args: ['run', '--only', 'load'],
    config: ({ urls }) => `target: { url: '${urls.gateway}/api' }`,
    code: 4,
    check: 'load.statuses',
    names: [/404 instead of 200/, /target\.url/],
  },
  {
    name: 'A step declares another status than the service answers',
    args: ['run', '--only', 'load'],
    config: () => scenarios('first-mistakes/wrong-status.ts'),
    code: 1,
    check: 'load.statuses',
    names: [/stranger\/list: \d+ × 401 instead of 200/, /the step/],
  },
  {
    name: 'The script sends nothing',
    args: ['run', '--only', 'load'],
    config: () => scenarios('sabotage/sends-nothing.ts'),
    code: 4,
    check: 'load.requests',
    names: [/idle sent nothing/, /does its script call its steps\?/],
  },
]

function withoutGo(): string {
  const folders = (process.env.PATH ?? '').split(':')
  return folders.filter((folder) => !/\/go(\/|$)/.test(folder)).join(':')
}
