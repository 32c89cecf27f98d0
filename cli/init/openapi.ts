import SwaggerParser from '@apidevtools/swagger-parser'
import { z } from 'zod'
import { UsageError } from '../../lib/errors.ts'
import { colonRoute } from '../../lib/route.ts'
import { type CandidateStep, methodOf, StepNames } from './step.ts'

const value = z.union([z.string(), z.number(), z.boolean()])
const schema = z.looseObject({
  example: z.unknown().optional(),
  examples: z.array(z.unknown()).optional(),
  default: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  type: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
})
const parameter = z.looseObject({
  name: z.string(),
  in: z.string(),
  required: z.boolean().optional(),
  example: z.unknown().optional(),
  examples: z.record(z.string(), z.looseObject({ value: z.unknown().optional() })).optional(),
  schema: schema.optional(),
})
const media = z.looseObject({
  example: z.unknown().optional(),
  examples: z.record(z.string(), z.looseObject({ value: z.unknown().optional() })).optional(),
  schema: schema.optional(),
})
const operation = z.looseObject({
  operationId: z.string().optional(),
  parameters: z.array(parameter).optional(),
  requestBody: z.looseObject({ content: z.record(z.string(), media).optional() }).optional(),
  responses: z.record(z.string(), z.unknown()).optional(),
  security: z.array(z.record(z.string(), z.unknown())).optional(),
})
const document = z.looseObject({
  paths: z.record(z.string(), z.looseObject({ parameters: z.array(parameter).optional() })),
  servers: z.array(z.looseObject({ url: z.string() })).optional(),
  /** Of Swagger 2. */
  basePath: z.string().optional(),
  security: z.array(z.record(z.string(), z.unknown())).optional(),
})
type Parameter = z.output<typeof parameter>

/**
 * The operations of an OpenAPI or Swagger document as steps; those that only read and say how they are called have no obstacle.
 * @param source a file or a URL
 * @param credentials whether headers are sent that may be credentials
 * @throws UsageError if it can't be read as such a document
 */
export async function stepsOfOpenApi(source: string, credentials: boolean): Promise<CandidateStep[]> {
  let read: unknown
  try {
    read = await SwaggerParser.dereference(source, { dereference: { circular: 'ignore' } })
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw new UsageError(`${source} cannot be read as an OpenAPI document: ${why}`)
  }
  const parsed = document.safeParse(read)
  if (!parsed.success) throw new UsageError(`${source} is no OpenAPI document: it has no paths.`)
  const { paths, servers, basePath, security: everywhere } = parsed.data
  const prefix = (basePath ?? pathnameOf(servers?.[0]?.url)).replace(/\/$/, '')
  const names = new StepNames()
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([key, raw]) => {
      const method = methodOf(key)
      const known = operation.safeParse(raw)
      if (method === undefined || !known.success) return []
      const own = known.data
      const guarded = !credentials && (own.security ?? everywhere ?? []).some((one) => Object.keys(one).length > 0)
      const parameters = [...(item.parameters ?? []), ...(own.parameters ?? [])]
      const [inPath, inQuery] = [valuesOf(parameters, 'path'), valuesOf(parameters, 'query')]
      const body = exampleBody(own.requestBody?.content)
      const route = `${prefix}${colonRoute(path)}`
      const obstacle = obstacleOf(method, guarded, [...inPath.missing, ...inQuery.missing])
      return [
        {
          name: names.take(own.operationId ?? `${method.toLowerCase()} ${path}`),
          method,
          route,
          status: statusOf(Object.keys(own.responses ?? {})),
          parameters: Object.fromEntries(
            Object.entries(inPath.values).map(([name, one]) => [
              name.replace(/\W+/g, '_'),
              typeof one === 'boolean' ? String(one) : one,
            ]),
          ),
          query: inQuery.values,
          ...(body === undefined ? {} : { body }),
          ...(obstacle === undefined ? {} : { obstacle }),
        },
      ]
    }),
  )
}

function obstacleOf(method: string, guarded: boolean, missing: readonly string[]): string | undefined {
  if (method !== 'GET') return 'it changes something: enable it if it may be sent again and again'
  if (missing.length > 0) return `the document has no example of ${missing.join(', ')}`
  return guarded ? 'it needs credentials: give init --header, or send them in headers' : undefined
}

/** The first status of success that is documented. */
function statusOf(codes: readonly string[]): number {
  return Number(codes.filter((code) => /^2\d\d$/.test(code)).sort()[0] ?? 200)
}

function pathnameOf(url: string | undefined): string {
  if (url === undefined) return ''
  return new URL(url, 'http://any.example').pathname
}

/** Examples of the parameters in one place; `missing` names those that are required and have none. */
function valuesOf(parameters: readonly Parameter[], place: string) {
  const values: Record<string, string | number | boolean> = {}
  const missing: string[] = []
  for (const one of parameters.filter((candidate) => candidate.in === place)) {
    const { name, example, examples, schema: shape } = one
    const wishes = [
      example,
      Object.values(examples ?? {})[0]?.value,
      shape?.example,
      shape?.examples?.[0],
      shape?.default,
      shape?.enum?.[0],
    ]
    const known = wishes.map((wish) => value.safeParse(wish)).find(({ success }) => success)
    if (known?.data !== undefined && (place === 'path' || one.required)) values[name] = known.data
    else if (place === 'path' || one.required) missing.push(name)
  }
  return { values, missing }
}

function exampleBody(content: Readonly<Record<string, z.output<typeof media>>> | undefined): object | undefined {
  const json = Object.entries(content ?? {}).find(([type]) => /\bjson\b/.test(type))?.[1]
  if (json === undefined) return undefined
  const wish = json.example ?? Object.values(json.examples ?? {})[0]?.value ?? sample(json.schema, 0)
  return typeof wish === 'object' && wish !== null ? wish : undefined
}

/** A value that fits a schema's types, from its own examples where it has some. */
function sample(raw: unknown, depth: number): unknown {
  const known = schema.safeParse(raw)
  if (!known.success || depth > 4) return null
  const { example, examples, default: usual, enum: choices, type, properties, items } = known.data
  const wish = example ?? examples?.[0] ?? usual ?? choices?.[0]
  if (wish !== undefined) return wish
  if (properties !== undefined)
    return Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, sample(one, depth + 1)]))
  if (type === 'array') return [sample(items, depth + 1)]
  if (type === 'integer' || type === 'number') return 1
  if (type === 'boolean') return true
  return type === 'string' ? 'text' : null
}
