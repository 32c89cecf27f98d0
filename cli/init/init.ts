import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isCancel, text } from '@clack/prompts'
import { type ExitCode, exitCodes, MusterError, UsageError } from '../../lib/errors.ts'
import type { BackendEndpoints } from '../../validators/config.ts'
import { httpUrl } from '../../validators/config-values.ts'
import { interruptible } from '../interrupt.ts'
import { stepsOfHar } from './har.ts'
import { stepsOfOpenApi } from './openapi.ts'
import { survey } from './survey.ts'
import { configText, type ImportPath, journeyText } from './text.ts'

export interface InitFlags {
  readonly url?: string
  readonly prometheus?: string
  readonly loki?: string
  readonly jaeger?: string
  readonly zipkin?: string
  readonly alertmanager?: string
  readonly openapi?: string
  readonly har?: string
  readonly header?: Readonly<Record<string, string>>
  readonly yes?: boolean
}

const questions = [
  ['url', 'The URL of the service', 'http://127.0.0.1:8080', true],
  ['prometheus', 'Prometheus (empty: none)', 'http://127.0.0.1:9090', false],
  ['loki', 'Loki (empty: none)', 'http://127.0.0.1:3100', false],
  ['jaeger', 'Jaeger (empty: none)', 'http://127.0.0.1:16686', false],
  ['alertmanager', 'Alertmanager (empty: none)', 'http://127.0.0.1:9093', false],
  ['openapi', 'An OpenAPI document, a file or a URL (empty: none)', 'openapi.yaml', false],
] as const

const [configName, journeyName] = ['muster.config.ts', 'first.ts']

/**
 * `muster init`: asks what has no flag, looks at the system, writes two files.
 * @throws UsageError if a file is there already; EnvironmentError if something does not answer
 */
export async function initCommand(flags: InitFlags): Promise<ExitCode> {
  const folder = process.cwd()
  for (const name of [configName, journeyName]) {
    const path = join(folder, name)
    if (existsSync(path))
      throw new UsageError(`${path} is there already, and is not overwritten: move it, or run init in another folder.`)
  }
  const known = await asked(flags)
  const url = checked('url', known.url)
  if (url === undefined)
    throw new UsageError('muster init needs --url, the base URL of your service, such as http://127.0.0.1:8080.')
  const baseUrl = url.replace(/\/$/, '')
  const backends = endpointsOf(known)
  const signal = interruptible()
  const tell = (line: string) => process.stdout.write(`  ${line} …\n`)
  const candidates =
    known.openapi !== undefined
      ? await stepsOfOpenApi(known.openapi, known.header !== undefined)
      : known.har === undefined
        ? undefined
        : await stepsOfHar(known.har, baseUrl)
  const found = await survey({ baseUrl, backends, headers: known.header ?? {} }, candidates, tell, signal)
  const enabled = found.steps.filter(({ obstacle }) => obstacle === undefined)
  if (enabled.length === 0) {
    const why = found.steps.slice(0, 3).map(({ method, route, obstacle }) => `${method} ${route}: ${obstacle ?? ''}`)
    throw new UsageError(
      `No step can be sent as it is (${why.join('; ')}): give --openapi or --har with a request that only reads and has examples.`,
    )
  }
  const importPath = importPathOf(folder)
  await writeFile(join(folder, configName), configText(found, journeyName, importPath), { flag: 'wx' })
  await writeFile(join(folder, journeyName), journeyText(found, importPath), { flag: 'wx' })
  const lines = [
    `${found.services.length} ${found.services.length === 1 ? 'service' : 'services'}: ${found.services.map(({ name }) => name).join(', ')}`,
    `${enabled.length} of ${found.steps.length} steps are enabled`,
    ...found.services.flatMap(({ name, remarks }) => remarks.map((remark) => `${name}: ${remark}`)),
    ...found.remarks,
    ...(candidates === undefined
      ? [
          `nothing told of the service's routes, so ${enabled.map(({ method, route }) => `${method} ${route}`).join(', ')} was tried, which may be neither counted nor logged: give --openapi or --har, or write steps into ${journeyName}`,
        ]
      : []),
  ]
  process.stdout.write(
    `${lines.map((line) => `- ${line}\n`).join('')}Written: ${configName}, ${journeyName}. Next: muster run\n`,
  )
  return exitCodes.passed
}

async function asked(flags: InitFlags): Promise<InitFlags> {
  if (flags.yes || !process.stdin.isTTY || !process.stdout.isTTY) return flags
  const answers: Record<string, string> = {}
  for (const [name, message, placeholder, needed] of questions) {
    if (flags[name] !== undefined || (name === 'jaeger' && flags.zipkin) || (name === 'openapi' && flags.har)) continue
    const answer = await text({
      message,
      placeholder,
      validate: (value = '') => {
        if (value === '') return needed ? 'It is needed: type it, for the grey text is only an example.' : undefined
        return name === 'openapi' || httpUrl.safeParse(value).success
          ? undefined
          : 'It must be an http or https URL without credentials.'
      },
    })
    if (isCancel(answer)) throw new MusterError(exitCodes.interrupted, 'Interrupted: nothing was written.')
    if (answer) answers[name] = answer
  }
  return { ...answers, ...flags }
}

function endpointsOf(flags: InitFlags): BackendEndpoints {
  const endpoint = (name: 'prometheus' | 'loki' | 'jaeger' | 'zipkin' | 'alertmanager') => {
    const url = checked(name, flags[name])
    return url === undefined ? undefined : { url, timeoutMs: 5000, ui: true }
  }
  const jaeger = endpoint('jaeger')
  return {
    prometheus: endpoint('prometheus'),
    loki: endpoint('loki'),
    jaeger: jaeger && { ...jaeger, limit: 10_000 },
    zipkin: endpoint('zipkin'),
    alertmanager: endpoint('alertmanager'),
  }
}

function checked(name: string, url: string | undefined): string | undefined {
  if (url === undefined) return undefined
  const parsed = httpUrl.safeParse(url)
  if (parsed.success) return parsed.data
  throw new UsageError(`--${name} ${parsed.error.issues[0]?.message ?? 'is no URL'}.`)
}

/** A package is imported by its name, a clone by its path. */
function importPathOf(folder: string): ImportPath {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
  if (basename(dirname(root)) === 'node_modules') return (file) => `passmuster/${file}`
  return (file) => {
    const path = relative(folder, join(root, file)).split(sep).join('/')
    return path.startsWith('.') ? path : `./${path}`
  }
}
