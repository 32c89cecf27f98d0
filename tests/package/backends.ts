import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { pause } from '../../lib/poll.ts'
import { obtain } from '../../stack/obtain.ts'
import { freePorts } from '../../stack/ports.ts'
import { render } from '../../stack/template.ts'
import { root } from '../harness.ts'

/** A process of a test; what it writes is in `all`, and `kill` ends it. */
export type Launched = ReturnType<typeof launch>

export function launch(program: string, args: readonly string[]) {
  return execa(program, args, { reject: false, stdin: 'ignore', all: true, buffer: false })
}

/** Waits until a URL answers 200, and with this text if one is given. @throws Error after half a minute */
export async function ready(url: string, text = ''): Promise<void> {
  for (const until = Date.now() + 60_000; ; await pause(250, AbortSignal.timeout(60_000))) {
    const answered = await fetch(url).then(
      async (response) => response.status === 200 && (await response.text()).includes(text),
      () => false,
    )
    if (answered) return
    if (Date.now() > until) throw new Error(`${url} did not answer as it should`)
  }
}

/** Where somebody's own backends are, none of them started by muster. */
export interface Backends {
  readonly prometheus: string
  readonly loki: string
  readonly jaeger: string
  /** Takes spans as Zipkin's JSON. */
  readonly zipkinSpans: string
  /** host:port that takes spans by OTLP over HTTP. */
  readonly otlp: string
}

const jaegerConfig = z.looseObject({
  service: z.looseObject({ pipelines: z.object({ traces: z.looseObject({ receivers: z.array(z.string()) }) }) }),
  receivers: z.record(z.string(), z.unknown()),
})

/**
 * Starts a Prometheus that scrapes, a Loki, and a Jaeger that also takes Zipkin's spans.
 * @param jobs what is scraped: job name to host:port
 * @param started is told of each process at once, so that it can be ended whatever comes after
 */
export async function startBackends(
  folder: string,
  jobs: Readonly<Record<string, string>>,
  started: (process: Launched) => void,
): Promise<Backends> {
  const binaries = await obtain(['prometheus', 'loki', 'jaeger'])
  const ports = await freePorts(9)
  const [prometheus = 0, loki = 0, lokiGrpc = 0, jaeger = 0, grpc = 0, health = 0, metrics = 0, otlp = 0, spans = 0] =
    ports
  const at = (port: number) => `127.0.0.1:${port}`
  const data = join(folder, 'data')
  await mkdir(join(data, 'loki'), { recursive: true })
  const write = async (name: string, text: string) => {
    const path = join(folder, name)
    await writeFile(path, text)
    return path
  }
  const template = (name: string) => readFile(join(root, 'stack', 'config', name), 'utf8')

  const scrapes = Object.entries(jobs).map(([job_name, target]) => ({
    job_name,
    static_configs: [{ targets: [target] }],
  }))
  const scraping = stringify({ global: { scrape_interval: '1s' }, scrape_configs: scrapes })
  started(
    launch(binaries.prometheus, [
      `--config.file=${await write('scraping.yml', scraping)}`,
      `--storage.tsdb.path=${join(data, 'prometheus')}`,
      `--web.listen-address=${at(prometheus)}`,
    ]),
  )
  const lokiText = render(await template('loki.yml'), { LOKI_PORT: loki, LOKI_GRPC_PORT: lokiGrpc, DATA: data })
  started(launch(binaries.loki, [`-config.file=${await write('loki.yml', lokiText)}`]))
  const values = { JAEGER_PORT: jaeger, JAEGER_GRPC_PORT: grpc, JAEGER_HEALTH_PORT: health }
  const text = render(await template('jaeger.yml'), { ...values, JAEGER_METRICS_PORT: metrics, JAEGER_OTLP_PORT: otlp })
  const config = jaegerConfig.parse(parse(text))
  config.receivers.zipkin = { endpoint: at(spans) }
  config.service.pipelines.traces.receivers.push('zipkin')
  started(launch(binaries.jaeger, ['--config', await write('jaeger.yml', stringify(config))]))

  await ready(`http://${at(prometheus)}/-/ready`)
  const query = encodeURIComponent('count_over_time({service_name="none"}[1s])')
  await ready(`http://${at(loki)}/loki/api/v1/query?query=${query}`)
  await ready(`http://${at(health)}/status`)
  return {
    prometheus: `http://${at(prometheus)}`,
    loki: `http://${at(loki)}`,
    jaeger: `http://${at(jaeger)}`,
    zipkinSpans: `http://${at(spans)}/api/v2/spans`,
    otlp: at(otlp),
  }
}
