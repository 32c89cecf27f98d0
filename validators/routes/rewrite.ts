import { dirname, resolve } from 'node:path'
import { UsageError } from '../../lib/errors.ts'
import type { AlertmanagerFile } from './alertmanager-file.ts'
import { globalSettings, integrationTypes, wantsAuthorization } from './integrations.ts'
import { type Branch, branch, isBranch, isList, plain, quoted, type Tree, textAt } from './yaml-tree.ts'

/** One integration of the user's file, and its sink. */
export interface PlacedIntegration {
  /** `receivers[2].slack_configs[0]` */
  readonly path: string
  readonly receiver: string
  /** Alertmanager's name of it: slack, pagerduty, ... */
  readonly type: string
  /** The receiver under which its sink records. */
  readonly id: string
  readonly sendResolved: boolean
  /** What Alertmanager's log calls it: `slack[0]`. */
  readonly runsAs: string
  /** Set if another type delivers in its place: why. */
  readonly standIn?: string
}

/** The user's file with sinks for destinations, and without a secret. */
export interface Rewritten {
  readonly tree: Branch
  readonly integrations: readonly PlacedIntegration[]
  /** Each receiver's webhook that muster adds, which tells what the receiver was told: sink receiver to receiver. */
  readonly mirrors: ReadonlyMap<string, string>
  /** By receiver what Alertmanager's log calls its mirror. */
  readonly mirrorsRunAs: ReadonlyMap<string, string>
}

export interface Destinations {
  readonly url: (type: string, id: string) => string
  readonly smtp: string
  /** http://host:port of the proxy that refuses everything. */
  readonly proxy: string
}

const topLevel = {
  kept: ['route', 'inhibit_rules', 'mute_time_intervals', 'time_intervals'],
  replaced: ['global', 'receivers', 'templates', 'tracing'],
}

/**
 * Replaces every destination, credential and file reference; keeps routes, rules, intervals, texts and templates.
 * A mirror is added to each receiver: a webhook tells alerts and group key in structure, which no other type does, and
 * it is asked by the same flush as its siblings.
 * @throws UsageError for any setting that is not known to be harmless: it could hold an address or a secret
 */
export function rewrite(file: AlertmanagerFile, destinations: Destinations): Rewritten {
  const { tree } = file
  refuseUnknown(file.path, '', tree, topLevel)
  const global = branchAt(tree, 'global')
  refuseUnknown(file.path, 'global', global, globalSettings)
  const harmless = httpConfig(destinations.proxy)
  const integrations: PlacedIntegration[] = []
  const mirrors = new Map<string, string>()
  const mirrorsRunAs = new Map<string, string>()
  const receivers = listAt(tree, 'receivers').map((receiver, n): Tree => {
    if (!isBranch(receiver)) throw new UsageError(`${file.path}: receivers[${n}] is no receiver; correct it.`)
    const name = textAt(receiver, 'name') ?? ''
    const rewritten: Branch = branch({ name: quoted(name) })
    for (const [key, configs] of receiver) {
      if (key === 'name') continue
      const type = key.replace(/_configs$/, '')
      if (!key.endsWith('_configs') || !Object.hasOwn(integrationTypes, type)) {
        throw new UsageError(
          `${file.path}: receivers[${n}].${key} is no receiver type of Alertmanager 0.31, so muster cannot make it harmless: nothing was started; remove it from a copy of the file, or ask for its support.`,
        )
      }
      for (const [index, original] of (isList(configs) ? configs : []).entries()) {
        const path = `receivers[${n}].${key}[${index}]`
        const placed = place(file.path, { path, receiver: name, type, id: `r${n}-${type}-${index}` }, original)
        const target = `${placed.as}_configs`
        integrations.push({ ...placed.integration, runsAs: `${placed.as}[${listAt(rewritten, target).length}]` })
        const config = placed.config({ destinations, global, harmless })
        rewritten.set(target, [...listAt(rewritten, target), config])
      }
    }
    const mirror = `mirror-${n}`
    mirrors.set(mirror, name)
    mirrorsRunAs.set(name, `webhook[${listAt(rewritten, 'webhook_configs').length}]`)
    const config = branch({
      url: quoted(destinations.url('webhook', mirror)),
      send_resolved: plain('true'),
      http_config: harmless,
    })
    rewritten.set('webhook_configs', [...listAt(rewritten, 'webhook_configs'), config])
    return rewritten
  })
  const kept = topLevel.kept.flatMap((key) => {
    const value = tree.get(key)
    return value === undefined ? [] : [[key, value] as const]
  })
  return {
    tree: new Map<string, Tree>([
      ['global', globalOf(global, destinations, harmless)],
      ['templates', file.templates.map(({ pattern }) => quoted(resolve(dirname(file.path), pattern)))],
      ...kept,
      ['receivers', receivers],
    ]),
    integrations,
    mirrors,
    mirrorsRunAs,
  }
}

interface Surroundings {
  readonly destinations: Destinations
  readonly global: Branch
  readonly harmless: Branch
}

function place(
  file: string,
  who: Pick<PlacedIntegration, 'path' | 'receiver' | 'type' | 'id'>,
  original: Tree,
): { integration: Omit<PlacedIntegration, 'runsAs'>; as: string; config: (around: Surroundings) => Branch } {
  const type = integrationTypes[who.type]
  if (!type || !isBranch(original)) throw new UsageError(`${file}: ${who.path} is no integration; correct it.`)
  const { kept, replaced, sendsResolved, set, standIn } = type
  refuseUnknown(file, who.path, original, {
    kept: [...kept, 'send_resolved'],
    replaced: [...replaced, ...(who.type === 'email' ? [] : ['http_config'])],
  })
  const instead = standIn?.when(original) ? standIn : undefined
  const as = instead?.as ?? who.type
  const told = original.get('send_resolved')
  const sendResolved =
    told === undefined ? sendsResolved : /^(y|yes|true|on)$/i.test(textAt(original, 'send_resolved') ?? '')
  return {
    integration: { ...who, sendResolved, ...(instead ? { standIn: instead.why } : {}) },
    as,
    config: ({ destinations, global, harmless }) => {
      const config: Branch = new Map()
      // A stand-in of another type does not know the settings of the one that it stands in for.
      if (as === who.type) {
        for (const key of kept) {
          const value = original.get(key)
          if (value !== undefined) config.set(key, value)
        }
      }
      const url = destinations.url(as, who.id)
      const destination = { url, smtp: destinations.smtp, id: who.id }
      for (const [key, value] of Object.entries(set(destination, original, global))) config.set(key, value)
      config.set('send_resolved', plain(String(sendResolved)))
      if (as === 'email') return config
      const authorization = branch({ credentials: quoted('muster') })
      return config.set(
        'http_config',
        wantsAuthorization.includes(as) ? new Map([...harmless, ['authorization', authorization]]) : harmless,
      )
    },
  }
}

/** Go never sends what goes to loopback through a proxy; all else meets ours. */
function httpConfig(proxy: string): Branch {
  return branch({ proxy_url: quoted(proxy), no_proxy: quoted('127.0.0.1') })
}

function globalOf(original: Branch, { smtp }: Destinations, harmless: Branch): Branch {
  const global = branch({
    http_config: harmless,
    smtp_smarthost: quoted(smtp),
  })
  for (const key of globalSettings.kept) {
    const value = original.get(key)
    if (value !== undefined) global.set(key, value)
  }
  return global
}

function refuseUnknown(
  file: string,
  path: string,
  tree: Branch,
  known: { readonly kept: readonly string[]; readonly replaced: readonly string[] },
): void {
  for (const key of tree.keys()) {
    if (known.kept.includes(key) || known.replaced.includes(key)) continue
    const where = path === '' ? key : `${path}.${key}`
    throw new UsageError(
      `${file}: ${where} is no setting of Alertmanager 0.31, so muster cannot tell whether it holds an address or a secret: nothing was started; remove it from a copy of the file, or ask for its support.`,
    )
  }
}

function branchAt(tree: Branch, key: string): Branch {
  const value = tree.get(key)
  return isBranch(value) ? value : new Map()
}

function listAt(tree: Branch, key: string): Tree[] {
  const value = tree.get(key)
  return isList(value) ? value : []
}
