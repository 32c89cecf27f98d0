import { randomUUID } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import sample from '../muster.config.ts'
import { freePorts } from '../stack/ports.ts'
import { type Called, Project, root } from './harness.ts'

let project: Project
const servers: Server[] = []

beforeAll(async () => {
  project = await Project.make()
})

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await project?.remove()
})

const scenarios = ['basic', 'stress', 'spike'].map((name) => join(root, `scenarios/${name}.ts`))

/** Calls muster with the sample's config, some of it replaced. */
async function mistaken(config: string, args: readonly string[] = ['run'], env = {}): Promise<Called> {
  const [command = 'run', ...rest] = args
  const file = await project.write(
    `${randomUUID()}.config.mts`,
    `import base from ${JSON.stringify(join(root, 'muster.config.ts'))}
export default { ...base, scenarios: ${JSON.stringify(scenarios)}, alerts: [], ...${config} }
`,
  )
  return project.call([command, '--config', file, ...rest], env)
}

/** Something that listens where a backend should. */
async function listening(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A URL at which nothing listens: a port that was free a moment ago. */
async function nobodyAt(): Promise<string> {
  const [port] = await freePorts(1)
  return `http://127.0.0.1:${port}`
}

/** A config with backends at these URLs; those not named are at `url`. */
function backendsAt(url: string, more: Readonly<Record<string, unknown>> = {}): string {
  const endpoint = { url, timeout: '4s', ...more }
  const backends = { prometheus: endpoint, loki: endpoint, jaeger: endpoint, alertmanager: endpoint }
  return JSON.stringify({ target: { url: 'http://127.0.0.1:1' }, backends })
}

describe.concurrent('the command line', () => {
  test('--help lists the commands and ends with 0', async () => {
    const { exitCode, stdout } = await execa(join(root, 'muster'), ['--help'], { reject: false })
    expect(exitCode).toBe(0)
    for (const command of ['run', 'check', 'setup', 'up', 'down', 'status', 'doctor'])
      expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, 'm'))
  })

  test('an unknown flag is named, with the way to help: exit 2', async () => {
    const { code, stderr } = await project.call(['run', '--colour'])
    expect(stderr).toContain("unknown option '--colour'")
    expect(stderr).toContain('muster --help')
    expect(code).toBe(2)
  })

  test('an unknown command is named: exit 2', async () => {
    const { code, stderr } = await project.call(['ruin'])
    expect(stderr).toContain("unknown command 'ruin'")
    expect(code).toBe(2)
  })

  test('a scenario that the config does not have is named beside those it has: exit 2', async () => {
    const { code, stderr } = await mistaken('{}', ['run', 'basics'])
    expect(stderr).toMatch(/no scenario "basics" in \S+\.config\.mts: it has basic, stress, spike\./)
    expect(code).toBe(2)
  })

  test('check of a folder without a run says what to name: exit 2', async () => {
    const { code, stderr } = await project.call(['check', project.folder])
    expect(stderr).toContain('holds no recording.json: name the folder of a run')
    expect(code).toBe(2)
  })

  test('--only of something that is no signal and no check is refused before anything starts: exit 2', async () => {
    const { code, stderr } = await mistaken('{}', ['run', '--only', 'matrics'])
    expect(stderr).toContain("argument 'matrics' is invalid. It must be one of load, metrics, logs")
    expect(code).toBe(2)
  })
})

describe.concurrent('the config', () => {
  test('all of five mistakes are reported at once, each with its path: exit 2', async () => {
    const { code, stderr } = await mistaken(`{
      target: { url: 'gateway:8080' },
      maxDropped: -1,
      server: { p95: 'soon' },
      colour: 'red',
      thresholds: { http_req_duratoin: ['p(95)<500'] },
    }`)
    expect(stderr).toContain('has 5 problems:')
    for (const path of ['target.url', 'maxDropped', 'server.p95', 'colour', 'thresholds'])
      expect(stderr).toMatch(new RegExp(`^  ${path}: .+`, 'm'))
    expect(code).toBe(2)
  })

  test('a threshold on an unknown metric is named: exit 2', async () => {
    const { code, stderr } = await mistaken(`{ thresholds: { http_req_duratoin: ['p(95)<500'] } }`)
    expect(stderr).toContain('http_req_duratoin')
    expect(stderr).toContain('has 1 problem:')
    expect(code).toBe(2)
  })

  test('one that is named and missing is named again: exit 2', async () => {
    const { code, stderr } = await project.call(['run', '--config', '/nowhere/muster.config.ts'])
    expect(stderr).toContain('The config /nowhere/muster.config.ts does not exist: check --config.')
    expect(code).toBe(2)
  })

  test('where there is none upward, the message says what to write: exit 2', async () => {
    const called = await execa(join(root, 'muster'), ['run'], { cwd: project.folder, reject: false })
    expect(called.stderr).toContain(`No muster.config.ts (or .yaml) in ${project.folder} or above`)
    expect(called.exitCode).toBe(2)
  })

  test('one that throws is named with its error: exit 2', async () => {
    const file = await project.write('broken.config.mts', `throw new Error('half written')\n`)
    const { code, stderr } = await project.call(['run', '--config', file])
    expect(stderr).toContain(`${file} cannot be read: half written`)
    expect(code).toBe(2)
  })

  test('YAML with the same schema is read, and judged alike', async () => {
    const { alerts: _, ...rest } = sample
    const good = await project.write('good.yaml', stringify({ ...rest, scenarios }))
    const bad = await project.write('bad.yaml', stringify({ ...rest, scenarios, maxDropped: -1 }))
    expect((await project.call(['run', 'basics', '--config', good])).stderr).toContain('it has basic, stress, spike.')
    const { code, stderr } = await project.call(['run', '--config', bad])
    expect(stderr).toMatch(/^ {2}maxDropped: /m)
    expect(code).toBe(2)
  })

  test('a scenario file that throws is named with its error: exit 2', async () => {
    const file = await project.write('torn.ts', `throw new Error('torn apart')\nexport default {}\n`)
    const { code, stderr } = await mistaken(JSON.stringify({ scenarios: [file] }))
    expect(stderr).toContain(`Scenario file ${file} cannot be loaded: torn apart`)
    expect(code).toBe(2)
  })

  test('a scenario file that is missing is named: exit 2', async () => {
    const { code, stderr } = await mistaken(`{ scenarios: ['/nowhere/basic.ts'] }`)
    expect(stderr).toContain('Scenario file /nowhere/basic.ts cannot be loaded')
    expect(code).toBe(2)
  })

  test('a missing scenario file of an alert is found before anything is started: exit 2', async () => {
    const { code, stderr } = await mistaken(
      `{ alerts: base.alerts.map((trial) => ({ ...trial, load: { scenario: '/nowhere/fault.ts' } })) }`,
    )
    expect(stderr).toContain('Scenario file /nowhere/fault.ts cannot be loaded')
    expect(code).toBe(2)
  })

  test('a secret whose environment variable is not set is named, and nothing is started: exit 2', async () => {
    const { code, stderr, stdout } = await mistaken(`{ secrets: ['MUSTER_TEST_UNSET'] }`)
    expect(stderr).toContain('secrets names the environment variable MUSTER_TEST_UNSET, which is not set')
    expect(stdout).not.toContain('starting')
    expect(code).toBe(2)
  })

  test('credentials whose environment variable is not set are named: exit 2', async () => {
    const auth = { type: 'bearer', tokenEnv: 'MUSTER_TEST_UNSET' }
    const { code, stderr } = await mistaken(backendsAt('http://127.0.0.1:1', { auth }))
    expect(stderr).toContain(
      'backends.prometheus.auth names the environment variable MUSTER_TEST_UNSET, which is not set',
    )
    expect(code).toBe(2)
  })
})

describe.concurrent('the target', () => {
  test('off loopback and not allowed by name it is not loaded, and nothing is started: exit 2', async () => {
    const { code, stderr, stdout } = await mistaken(`{ target: { url: 'http://shop.example:8080' } }`)
    expect(stderr).toContain('Load on shop.example is not allowed')
    expect(stderr).toContain('target.allow')
    expect(stdout).not.toContain('starting')
    expect(code).toBe(2)
  })

  test('off loopback and allowed, its rate ceiling holds: exit 2', async () => {
    const { code, stderr } = await mistaken(
      `{ target: { url: 'http://shop.example:8080', allow: ['shop.example'], maxRate: 2 } }`,
    )
    expect(stderr).toMatch(/A scenario reaches [\d.]+ iterations\/s on shop\.example, above target\.maxRate 2/)
    expect(code).toBe(2)
  })
})

describe.concurrent('the output folder', () => {
  test('below a file it cannot be written, and the message says what to do: exit 2', async () => {
    const file = await project.write('file', '')
    const { code, stderr } = await mistaken('{}', ['run', '--out', join(file, 'reports')])
    expect(stderr).toContain(`Cannot write the report to ${join(file, 'reports')}`)
    expect(stderr).toContain('choose another folder with --out')
    expect(code).toBe(2)
  })
})

describe.concurrent('a backend of the user’s own', () => {
  const everyone = ['prometheus', 'loki', 'jaeger', 'alertmanager']

  test('whose URL is none is named with its path: exit 2', async () => {
    const { code, stderr } = await mistaken(backendsAt('127.0.0.1:9090'))
    for (const name of everyone) expect(stderr).toMatch(new RegExp(`^  backends.${name}.url: .+ is no http`, 'm'))
    expect(code).toBe(2)
  })

  test('whose host does not exist is named: exit 3', async () => {
    const { code, stderr } = await mistaken(backendsAt('http://backend.invalid:9090'))
    for (const name of everyone)
      expect(stderr).toContain(`${name} at http://backend.invalid:9090 has a host name that does not resolve`)
    expect(code).toBe(3)
  })

  test('whose URL belongs to something else is named with what that answered: exit 3', async () => {
    const url = await listening((_, response) => response.writeHead(404).end('404 page not found'))
    const { code, stderr } = await mistaken(backendsAt(url))
    expect(stderr).toContain(`prometheus at ${url}/api/v1/status/buildinfo answered 404: 404 page not found`)
    expect(code).toBe(3)
  })

  test('that answers JSON of another shape is asked whether it is that backend: exit 3', async () => {
    const url = await listening((_, response) => response.end('{"status":"ok"}'))
    const { code, stderr } = await mistaken(backendsAt(url))
    expect(stderr).toMatch(/answered JSON of another shape .*: is that really loki/)
    expect(code).toBe(3)
  })

  test('that refuses is named once, with its URL: exit 3', async () => {
    const url = await nobodyAt()
    const { code, stderr } = await mistaken(backendsAt(url))
    for (const name of everyone) expect(stderr.split(`${name} at ${url} refused the connection`)).toHaveLength(2)
    expect(code).toBe(3)
  })

  test('that does not answer in time is named with the time-out: exit 3', async () => {
    const url = await listening(() => {})
    const { code, stderr } = await mistaken(backendsAt(url, { timeout: '300ms' }))
    for (const name of everyone) expect(stderr).toContain(`${name} at ${url} did not answer within 300 ms`)
    expect(code).toBe(3)
  })

  test('that answers 401 is asked once, and the message names the setting: exit 3', async () => {
    const asked = new Map<string, number>()
    const url = await listening(({ url: path = '' }, response) => {
      asked.set(path, (asked.get(path) ?? 0) + 1)
      response.writeHead(401).end()
    })
    const { code, stderr } = await mistaken(backendsAt(url))
    for (const name of everyone)
      expect(stderr).toContain(`answered 401: it wants other credentials; set backends.${name}.auth`)
    expect(asked.get('/loki/api/v1/status/buildinfo')).toBe(1)
    expect(code).toBe(3)
  })

  test('that answers HTML is asked whether its URL is that of the API: exit 3', async () => {
    const url = await listening((_, response) => response.end('<!doctype html><title>Sign in</title>'))
    const { code, stderr } = await mistaken(backendsAt(url))
    for (const name of everyone)
      expect(stderr).toMatch(
        new RegExp(`answered HTML instead of JSON .*is backends.${name}.url the address of its API`),
      )
    expect(code).toBe(3)
  })

  test('gets the credentials that the environment holds, which no output shows', async () => {
    const seen = new Set<string | undefined>()
    const url = await listening(({ headers }, response) => {
      seen.add(headers.authorization)
      response.writeHead(403).end()
    })
    const { code, stdout, stderr } = await mistaken(
      backendsAt(url, { auth: { type: 'basic', usernameEnv: 'TEST_USER', passwordEnv: 'TEST_PASSWORD' } }),
      ['run'],
      { TEST_USER: 'reader', TEST_PASSWORD: 'open-sesame' },
    )
    expect([...seen].filter((header) => header !== undefined)).toEqual([
      `Basic ${Buffer.from('reader:open-sesame').toString('base64')}`,
    ])
    expect(stdout + stderr).not.toContain('open-sesame')
    expect(code).toBe(3)
  })
})

describe.concurrent('programs that muster needs', () => {
  test('without Go and with an empty cache the message says what to install, or what to set instead: exit 3', async () => {
    const without = (process.env.PATH ?? '').split(delimiter).filter((folder) => !/\/go(\/|$)/.test(folder))
    const { code, stderr } = await mistaken('{}', ['run'], {
      PATH: without.join(delimiter),
      XDG_CACHE_HOME: join(project.folder, 'empty-cache'),
    })
    expect(stderr).toContain('Go is needed to build k6')
    expect(stderr).toContain('install Go 1.26 or newer')
    expect(stderr).toContain('MUSTER_K6')
    expect(stderr).toContain("your own stack's URLs")
    expect(code).toBe(3)
  })

  test('one that an environment variable names and that is none is named with the remedy: exit 3', async () => {
    const { code, stderr } = await mistaken('{}', ['run'], { MUSTER_K6: '/nowhere/k6' })
    expect(stderr).toContain('MUSTER_K6 names /nowhere/k6, which is no executable file')
    expect(code).toBe(3)
  })
})
