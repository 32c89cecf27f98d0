import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { UsageError } from '../../lib/errors.ts'
import { type CandidateStep, isSecretName, methodOf, StepNames, withoutSecrets } from './step.ts'

/** What is read of an HTTP archive, version 1.2: cookies and headers are secrets, and are not. */
const archive = z.object({
  log: z.object({
    entries: z.array(
      z.object({
        request: z.object({
          method: z.string(),
          url: z.url(),
          postData: z.object({ mimeType: z.string().optional(), text: z.string().optional() }).optional(),
        }),
        response: z.object({ status: z.number() }),
      }),
    ),
  }),
})

/**
 * The requests of a HAR file to one origin as steps, each once: what looks like an id in a path becomes a parameter.
 * @throws UsageError if it is no such file, or holds no request to that origin
 */
export async function stepsOfHar(file: string, baseUrl: string): Promise<CandidateStep[]> {
  const base = new URL(baseUrl)
  const entries = (await read(file)).filter(({ request }) => new URL(request.url).origin === base.origin)
  if (entries.length === 0)
    throw new UsageError(`${file} has no request to ${base.origin}: is --url the right address?`)
  const names = new StepNames()
  const steps = new Map<string, CandidateStep>()
  for (const { request, response } of entries) {
    const method = methodOf(request.method)
    const { pathname, searchParams } = new URL(request.url)
    const below = base.pathname === '/' ? pathname : pathname.replace(base.pathname.replace(/\/$/, ''), '')
    const { route, parameters } = templateOf(below)
    const key = `${request.method} ${route}`
    if (method === undefined || steps.has(key) || response.status < 200 || response.status >= 400) continue
    const body = bodyOf(request.postData?.text)
    steps.set(key, {
      name: names.take(key),
      method,
      route,
      status: response.status,
      parameters,
      query: Object.fromEntries([...searchParams].map(([name, value]) => [name, isSecretName(name) ? '…' : value])),
      ...(body === undefined ? {} : { body }),
      ...([...searchParams.keys()].some(isSecretName)
        ? { obstacle: 'its query holds a secret, which is not written down' }
        : {}),
      ...(method === 'GET' ? {} : { obstacle: 'it changes something: enable it if it may be sent again and again' }),
    })
  }
  return [...steps.values()]
}

async function read(file: string): Promise<z.output<typeof archive>['log']['entries']> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UsageError(`The HAR file ${file} cannot be read: check --har.`)
  })
  try {
    return archive.parse(JSON.parse(text)).log.entries
  } catch {
    throw new UsageError(
      `${file} is no HAR file (an HTTP archive, version 1.2): save one from a browser's network tab.`,
    )
  }
}

const id = /^(\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|[0-9A-HJKMNP-TV-Z]{26})$/i

function templateOf(path: string): Pick<CandidateStep, 'route' | 'parameters'> {
  const parameters: Record<string, string> = {}
  const parts = path.split('/').map((part) => {
    if (!id.test(part)) return part
    const count = Object.keys(parameters).length
    const name = count === 0 ? 'id' : `id${count + 1}`
    parameters[name] = decodeURIComponent(part)
    return `:${name}`
  })
  return { route: parts.join('/'), parameters }
}

function bodyOf(text: string | undefined): object | undefined {
  try {
    const body: unknown = JSON.parse(text ?? '')
    const known = withoutSecrets(body)
    return typeof known === 'object' && known !== null ? known : undefined
  } catch {
    return undefined
  }
}
