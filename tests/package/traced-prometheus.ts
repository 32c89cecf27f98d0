import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { obtain } from '../../stack/obtain.ts'
import { type Backends, type Launched, launch, ready } from './backends.ts'
import { Shipper } from './shipper.ts'

/**
 * Starts a Prometheus to be put under load: it logs its queries (JSON), writes of itself (logfmt), and sends spans by OTLP.
 * @returns what ships both logs under one name, as an agent ships what a container writes
 */
export async function startTraced(
  folder: string,
  address: string,
  { loki, otlp }: Backends,
  started: (process: Launched) => void,
): Promise<Shipper> {
  const { prometheus } = await obtain(['prometheus'])
  await mkdir(folder, { recursive: true })
  const [log, config] = [join(folder, 'query.log'), join(folder, 'prometheus.yml')]
  await writeFile(log, '')
  const tracing = { client_type: 'http', endpoint: otlp, insecure: true, sampling_fraction: 1 }
  await writeFile(config, JSON.stringify({ global: { query_log_file: log }, tracing }))
  const storage = `--storage.tsdb.path=${join(folder, 'data')}`
  const underLoad = launch(prometheus, [`--config.file=${config}`, storage, `--web.listen-address=${address}`])
  started(underLoad)
  const shipper = new Shipper(loki, { service_name: 'prometheus' })
  void shipper.tail(log)
  shipper.follow(underLoad.all)
  await ready(`http://${address}/-/ready`)
  return shipper
}
