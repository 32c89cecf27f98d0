import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { obtain } from '../stack/obtain.ts'
import { freePorts } from '../stack/ports.ts'
import { root } from '../tests/harness.ts'
import { type Launched, ready, startBackends } from '../tests/package/backends.ts'
import { startTraced } from '../tests/package/traced-prometheus.ts'

/**
 * How long a newcomer waits, command by command, from an empty folder to the first verdict on a service that muster did not
 * instrument: a Prometheus with its own metrics, query log and spans. The service, its backends and the package's archive are
 * there before; k6 comes from the warm cache.
 * Usage: node --import tsx bench/first-service.ts
 */
const folder = await mkdtemp(join(tmpdir(), 'muster-first-'))
const processes: Launched[] = []
const rows: { readonly command: string; readonly ms: number; readonly exit: number | undefined }[] = []

async function typed(cwd: string, command: readonly string[], shown = command.join(' ')): Promise<void> {
  const [program = '', ...args] = command
  const begun = performance.now()
  const { exitCode, stdout, stderr } = await execa(program, args, { cwd, reject: false, stdin: 'ignore' })
  rows.push({ command: shown, ms: performance.now() - begun, exit: exitCode })
  if (exitCode !== 0) console.error(`${shown}\n${stdout}\n${stderr}`)
}

try {
  const { stdout } = await execa('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root })
  const archive = join(folder, stdout.trim().split('\n').at(-1) ?? '')
  await obtain(['k6'])
  const [port = 0] = await freePorts(1)
  const address = `127.0.0.1:${port}`
  const backends = await startBackends(folder, { prometheus: address }, (one) => processes.push(one))
  const shipper = await startTraced(join(folder, 'service'), address, backends, (one) => processes.push(one))
  await ready(`${backends.prometheus}/api/v1/query?query=${encodeURIComponent('up == 1')}`, '"1"')

  const app = join(folder, 'app')
  await mkdir(app)
  const query = { name: 'query', in: 'query', required: true, example: 'vector(1)' }
  const paths = { '/api/v1/query': { get: { parameters: [query], responses: { 200: { description: 'a vector' } } } } }
  await writeFile(
    join(app, 'openapi.json'),
    JSON.stringify({ openapi: '3.1.0', info: { title: 'Prometheus', version: '1' }, paths }),
  )

  await typed(app, ['npm', 'init', '--yes'])
  await typed(app, ['npm', 'install', archive, '@types/k6'], 'npm install passmuster @types/k6')
  const found = (['prometheus', 'loki', 'jaeger'] as const).flatMap((name) => [`--${name}`, backends[name]])
  const init = ['passmuster', 'init', '--url', `http://${address}`, ...found, '--openapi', 'openapi.json']
  await typed(app, ['npx', ...init], 'npx passmuster init --url … --prometheus … --loki … --jaeger … --openapi …')
  await typed(app, ['npx', 'passmuster', 'run'])
  await shipper.stop()
} finally {
  for (const one of processes) one.kill()
  await Promise.all(processes)
  await rm(folder, { recursive: true, force: true })
}

const seconds = (ms: number) => (ms / 1000).toFixed(1)
console.log('| command | seconds | exit |\n| --- | ---: | ---: |')
for (const { command, ms, exit } of rows) console.log(`| \`${command}\` | ${seconds(ms)} | ${exit} |`)
console.log(`| all | ${seconds(rows.reduce((sum, { ms }) => sum + ms, 0))} | |`)
if (rows.some(({ exit }) => exit !== 0)) process.exitCode = 1
