import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inProfile, type StackProfile } from './profile.ts'
import type { BinaryName } from './recipes.ts'
import type { SampleService, ServiceName } from './sample-services.ts'
import type { Command } from './supervisor.ts'
import { render } from './template.ts'

/** Every port of the stack, by what listens there. */
export const portNames = [
  'prometheus',
  'loki',
  'lokiGrpc',
  'jaeger',
  'jaegerGrpc',
  'jaegerOtlp',
  'jaegerMetrics',
  'jaegerHealth',
  'alertmanager',
  'collector',
  'collectorMetrics',
  'collectorHealth',
  'gateway',
  'todos',
  'webhooks',
  'gatewayFaults',
  'todosFaults',
  'webhooksFaults',
] as const
export type Ports = Readonly<Record<(typeof portNames)[number], number>>

/** The templates that may be replaced. */
export type TemplateName = 'alertmanager' | 'collector' | 'loki' | 'prometheus'

export interface BackendOptions {
  /** The stack's folder: `config/` and `data/` are made in it. */
  readonly folder: string
  readonly ports: Ports
  /** The processes of the sample services that Prometheus is to scrape. */
  readonly scraped: readonly SampleService[]
  /** False: without the burn-rate rules of config/rules/slo.yml. */
  readonly objectives?: boolean | undefined
  /** Alert rules instead of config/rules/alerts.yml. */
  readonly rules?: string | undefined
  /** Files instead of the templates in config/. */
  readonly templates?: Readonly<Partial<Record<TemplateName, string | undefined>>> | undefined
  readonly sinks?: SinkPorts | undefined
  /** Default `quick`: rules, scrapes and waiting times are shortened, those of the user's files too. */
  readonly profile?: StackProfile | undefined
}

/** The loopback ports at which notifications are received. */
export interface SinkPorts {
  readonly http: number
  readonly smtp: number
}

/** A backend's process, and the URLs that answer 200 once it is ready. */
export interface Backend {
  readonly command: Command
  readonly readyUrls: readonly string[]
}

export const backendBinaries = ['prometheus', 'alertmanager', 'jaeger', 'loki'] as const satisfies BinaryName[]
export type BackendBinary = (typeof backendBinaries)[number]

/** Writes every backend's configuration into the folder, and tells how to start them. */
export async function configureBackends(
  binaries: Readonly<Record<BackendBinary, string>>,
  options: BackendOptions,
): Promise<Backend[]> {
  const { folder, ports } = options
  const config = join(folder, 'config')
  const data = join(folder, 'data')
  await Promise.all([config, join(data, 'loki')].map((path) => mkdir(path, { recursive: true })))
  await writeRules(join(config, 'rules'), options)
  await cp(template('templates'), join(config, 'templates'), { recursive: true })
  const values = valuesOf(options, config, data)
  const write = async (name: string, source = template(name)) => {
    const path = join(config, name)
    const text = render(await readFile(source, 'utf8'), values, source)
    await writeFile(path, inItsProfile(name, text, options.profile, source))
    return path
  }
  const [prometheus, alertmanager, loki, jaeger, collector] = await Promise.all([
    write('prometheus.yml', options.templates?.prometheus),
    write('alertmanager.yml', options.templates?.alertmanager),
    write('loki.yml', options.templates?.loki),
    write('jaeger.yml'),
    write('collector.yml', options.templates?.collector),
  ])
  return [
    {
      command: {
        name: 'loki',
        file: binaries.loki,
        args: [
          `-config.file=${loki}`,
          // Its parts find each other through a look-up that is repeated every 10 s by default.
          '-querier.dns-lookup-period=100ms',
          '-frontend.scheduler-dns-lookup-period=100ms',
        ],
      },
      // Its /ready says yes before a query gets an answer: so ask one.
      readyUrls: [
        `http://${host(ports.loki)}/ready`,
        `http://${host(ports.loki)}/loki/api/v1/query?query=${encodeURIComponent('count_over_time({service_name="none"}[1s])')}`,
      ],
    },
    {
      command: otel('jaeger', binaries.jaeger, jaeger),
      readyUrls: [`http://${host(ports.jaegerHealth)}/status`],
    },
    {
      command: otel('collector', binaries.jaeger, collector),
      readyUrls: [`http://${host(ports.collectorHealth)}/status`],
    },
    {
      command: {
        name: 'alertmanager',
        file: binaries.alertmanager,
        args: [
          `--config.file=${alertmanager}`,
          `--storage.path=${join(data, 'alertmanager')}`,
          `--web.listen-address=${host(ports.alertmanager)}`,
          // Empty: one process, no cluster.
          '--cluster.listen-address=',
          '--log.level=warn',
        ],
      },
      readyUrls: [`http://${host(ports.alertmanager)}/-/ready`],
    },
    {
      command: {
        name: 'prometheus',
        file: binaries.prometheus,
        args: [
          `--config.file=${prometheus}`,
          `--storage.tsdb.path=${join(data, 'prometheus')}`,
          `--web.listen-address=${host(ports.prometheus)}`,
          `--web.external-url=http://${host(ports.prometheus)}`,
          '--enable-feature=exemplar-storage',
          '--web.enable-remote-write-receiver',
          // Hidden; by default no target is scraped in the first 5 s.
          '--scrape.discovery-reload-interval=100ms',
          '--log.level=warn',
        ],
      },
      readyUrls: [`http://${host(ports.prometheus)}/-/ready`],
    },
  ]
}

/** Writes all rule files, beside the rest of the configuration, so that a reader of the folder sees what is in force. */
async function writeRules(
  folder: string,
  { rules, objectives = true, profile = 'quick' }: BackendOptions,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const own = (await readdir(template('rules'))).filter(
    (name) => name.endsWith('.yml') && (objectives || name !== 'slo.yml'),
  )
  for (const name of own) {
    const source = name === 'alerts.yml' && rules !== undefined ? rules : template(`rules/${name}`)
    await writeFile(join(folder, name), inProfile(profile, 'rules', await readFile(source, 'utf8'), source))
  }
}

function inItsProfile(name: string, text: string, profile: StackProfile = 'quick', source: string): string {
  if (name === 'prometheus.yml') return inProfile(profile, 'prometheus', text, source)
  return name === 'alertmanager.yml' ? inProfile(profile, 'alertmanager', text, source) : text
}

function otel(name: string, file: string, config: string): Command {
  return { name, file, args: ['--config', `file:${config}`] }
}

function valuesOf(options: BackendOptions, config: string, data: string): Record<string, string | number> {
  const { ports } = options
  // JSON is YAML, and quotes whatever a URL may hold.
  const targets = (name: ServiceName) =>
    JSON.stringify(options.scraped.filter(({ service }) => service === name).map(({ port }) => host(port)))
  return {
    DATA: data,
    RULES: join(config, 'rules'),
    SINK_HTTP: host(options.sinks?.http ?? nobody),
    SINK_SMTP: host(options.sinks?.smtp ?? nobody),
    TEMPLATES: join(config, 'templates'),
    GATEWAY_TARGETS: targets('gateway'),
    TODOS_TARGETS: targets('todos'),
    WEBHOOKS_TARGETS: targets('webhooks'),
    // The first instance alone, for a template that forgets the others.
    TODOS_1: host(ports.todos),
    PROMETHEUS: host(ports.prometheus),
    ALERTMANAGER: host(ports.alertmanager),
    LOKI: host(ports.loki),
    JAEGER_METRICS: host(ports.jaegerMetrics),
    COLLECTOR_METRICS: host(ports.collectorMetrics),
    LOKI_PORT: ports.loki,
    LOKI_GRPC_PORT: ports.lokiGrpc,
    JAEGER_PORT: ports.jaeger,
    JAEGER_GRPC_PORT: ports.jaegerGrpc,
    JAEGER_OTLP_PORT: ports.jaegerOtlp,
    JAEGER_METRICS_PORT: ports.jaegerMetrics,
    JAEGER_HEALTH_PORT: ports.jaegerHealth,
    COLLECTOR_PORT: ports.collector,
    COLLECTOR_METRICS_PORT: ports.collectorMetrics,
    COLLECTOR_HEALTH_PORT: ports.collectorHealth,
  }
}

/** The discard port, where no receiver listens: without sinks Alertmanager delivers nowhere. */
const nobody = 9

function template(name: string): string {
  return fileURLToPath(new URL(`config/${name}`, import.meta.url))
}

function host(port: number): string {
  return `127.0.0.1:${port}`
}
