import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { UsageError } from '../../lib/errors.ts'
import { stepsOfHar } from './har.ts'
import { stepsOfOpenApi } from './openapi.ts'

const folders: string[] = []
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
})

async function file(name: string, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-steps-'))
  folders.push(folder)
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

const document = {
  openapi: '3.0.3',
  info: { title: 'shop', version: '1' },
  servers: [{ url: '/v1' }],
  paths: {
    '/articles/{article-id}': {
      parameters: [{ name: 'article-id', in: 'path', required: true, schema: { type: 'integer', example: 7 } }],
      get: { responses: { 200: { description: '' } } },
      delete: { responses: { 204: { description: '' } } },
    },
    '/articles': {
      get: {
        operationId: 'list-articles',
        parameters: [
          { name: 'sort', in: 'query', required: true, schema: { type: 'string', enum: ['name', 'price'] } },
        ],
        responses: { 200: { description: '' } },
      },
      post: {
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Article' } } } },
        responses: { 201: { description: '' } },
      },
    },
    '/me': { get: { security: [{ bearer: [] }], responses: { 200: { description: '' } } } },
    '/orders/{id}': {
      get: {
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: '' } },
      },
    },
  },
  components: {
    schemas: {
      Article: { type: 'object', properties: { name: { type: 'string', example: 'tea' }, price: { type: 'number' } } },
    },
  },
}

it('makes steps of an OpenAPI document, and enables those that only read and say how', async () => {
  const steps = await stepsOfOpenApi(await file('openapi.json', JSON.stringify(document)), false)
  expect(steps).toMatchObject([
    { name: 'getArticlesArticleId', route: '/v1/articles/:article_id', status: 200, parameters: { article_id: 7 } },
    { method: 'DELETE', status: 204, obstacle: expect.stringContaining('it changes something') },
    { name: 'listArticles', route: '/v1/articles', query: { sort: 'name' } },
    { method: 'POST', status: 201, body: { name: 'tea', price: 1 }, obstacle: expect.any(String) },
    { route: '/v1/me', obstacle: expect.stringContaining('it needs credentials') },
    { route: '/v1/orders/:id', obstacle: 'the document has no example of id' },
  ])
  expect(steps.filter(({ obstacle }) => obstacle === undefined).map(({ route }) => route)).toEqual([
    '/v1/articles/:article_id',
    '/v1/articles',
  ])
})

it('sends what needs credentials once there are some', async () => {
  const steps = await stepsOfOpenApi(await file('openapi.json', JSON.stringify(document)), true)
  expect(steps.find(({ route }) => route === '/v1/me')?.obstacle).toBeUndefined()
})

it.each([
  ['text', 'hello'],
  ['another document', '{"openapi":"3.0.3"}'],
])('refuses %s as an OpenAPI document', async (_, text) => {
  await expect(stepsOfOpenApi(await file('openapi.json', text), false)).rejects.toThrow(UsageError)
})

function entry(method: string, url: string, status: number, text?: string) {
  return { request: { method, url, headers: [], ...(text ? { postData: { text } } : {}) }, response: { status } }
}

it('makes steps of a recording: ids become parameters, secrets and other origins stay out', async () => {
  const log = {
    entries: [
      entry('GET', 'http://shop.test/articles/7?page=2', 200),
      entry('GET', 'http://shop.test/articles/8', 200),
      entry('GET', 'http://cdn.test/logo.png', 200),
      entry('GET', 'http://shop.test/me?access_token=hush', 200),
      entry('POST', 'http://shop.test/login', 200, '{"user":"ann","password":"hush"}'),
      entry('GET', 'http://shop.test/gone', 404),
    ],
  }
  const steps = await stepsOfHar(await file('shop.har', JSON.stringify({ log })), 'http://shop.test')
  expect(steps).toMatchObject([
    { name: 'getArticlesId', route: '/articles/:id', parameters: { id: '7' }, query: { page: '2' } },
    { route: '/me', obstacle: expect.stringContaining('secret') },
    { method: 'POST', body: { user: 'ann', password: '…' } },
  ])
  expect(JSON.stringify(steps)).not.toContain('hush')
})

it('says what is wrong with a recording', async () => {
  await expect(stepsOfHar('/nowhere.har', 'http://shop.test')).rejects.toThrow('cannot be read: check --har')
  await expect(stepsOfHar(await file('a.har', '{}'), 'http://shop.test')).rejects.toThrow('is no HAR file')
  const log = { entries: [entry('GET', 'http://cdn.test/', 200)] }
  await expect(stepsOfHar(await file('b.har', JSON.stringify({ log })), 'http://shop.test')).rejects.toThrow(
    'is --url the right',
  )
})
