import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { CheckResult } from '../../lib/verdict.ts'
import type { AlertmanagerFile } from './alertmanager-file.ts'
import type { Probe } from './examine.ts'
import type { Surroundings } from './experiment.ts'
import { probeLabel } from './experiment-alert.ts'
import { milliseconds, withoutInhibition } from './route-changes.ts'
import { routeCheck } from './route-check.ts'
import { caseNames, textsIn, usedNames } from './template-cases.ts'
import { groupIntervalMs, groupWaitMs, nameOf, type RenderedText, renderCases, type Setting } from './template-round.ts'
import { branch, quoted, type Tree } from './yaml-tree.ts'

/**
 * Renders every integration's texts: firing, resolved, for many alerts, with labels and annotations missing, with markup in
 * them, and with a long one; for each group_by by which its receiver is told. Each case has a route of its own, with the
 * user's group_by, so that no case is told together with another.
 */
export async function tryTemplates(
  around: Surroundings,
  probes: readonly Probe[],
): Promise<{ readonly results: readonly CheckResult[]; readonly texts: readonly RenderedText[] }> {
  const { file } = around
  const from = Date.now()
  const used = usedNames([...textsIn(file.tree.get('receivers')), ...(await templateTexts(file))])
  const rounds = roundsOf(settingsOf(file, probes))
  const rendered = await Promise.all(
    rounds.map((settings, n) => {
      const change = (tree: Map<string, Tree>) => {
        withoutInhibition(tree)
        tree.delete('mute_time_intervals')
        tree.delete('time_intervals')
        tree.set('route', routesFor(file, settings))
      }
      return renderCases(`templates-${n}`, around, change, settings, used)
    }),
  )
  const texts = rendered.flatMap((round) => round.texts)
  const problems = rendered.flatMap((round) => round.problems)
  const integrations = new Map(rendered.flatMap((round) => round.integrations).map((one) => [one.path, one]))
  const results = [...integrations.values()].map((integration) => {
    const { path, receiver, standIn } = integration
    const own = texts.filter((one) => one.receiver === receiver && one.integration === nameOf(integration))
    const told = own.filter((one) => one.texts.length > 0).length
    return routeCheck(
      {
        id: `template.${path}`,
        title: `${path} (${receiver}) renders every kind of alert whole`,
        expected: `a text for ${caseNames.join(', ')} and, if it is sent, resolved; no <no value>, no error, nothing cut`,
        window: { from, to: Date.now() },
      },
      {
        actual: `${told} of ${own.length} cases rendered${standIn ? `; ${standIn}` : ''}`,
        problems: [...new Set(problems.filter((one) => one.path === path).map(({ problem }) => problem))],
        empty: own.length === 0,
      },
    )
  })
  return { results, texts }
}

/** One setting for each group_by by which a receiver with integrations is told. */
function settingsOf({ receivers }: AlertmanagerFile, probes: readonly Probe[]): Setting[] {
  const settings = new Map<string, Setting>()
  for (const { route, labels } of probes) {
    const key = JSON.stringify([route.receiver, [...route.groupBy].sort()])
    if (settings.has(key) || (receivers.get(route.receiver)?.integrations.length ?? 0) === 0) continue
    // The same from run to run, whatever else the file gets: texts show it.
    const id = `x${createHash('sha256').update(key).digest('hex').slice(0, 6)}`
    settings.set(key, { id, receiver: route.receiver, groupBy: route.groupBy, sample: labels })
  }
  return [...settings.values()]
}

/** In one round a receiver is told by one group_by alone. */
function roundsOf(settings: readonly Setting[]): Setting[][] {
  const rounds: Setting[][] = []
  for (const setting of settings) {
    const round = rounds.find((others) => others.every(({ receiver }) => receiver !== setting.receiver))
    if (round) round.push(setting)
    else rounds.push([setting])
  }
  return rounds
}

function routesFor({ root }: AlertmanagerFile, settings: readonly Setting[]): Tree {
  return branch({
    receiver: quoted(root.receiver),
    group_wait: milliseconds(groupWaitMs),
    group_interval: milliseconds(groupIntervalMs),
    routes: settings.flatMap(({ id, receiver, groupBy }) =>
      caseNames.map((name) =>
        branch({
          receiver: quoted(receiver),
          matchers: [quoted(`${probeLabel}=~"${id}-${name}-.+"`)],
          group_by: groupBy.map(quoted),
        }),
      ),
    ),
  })
}

/** The template files, as far as a pattern in the last part of the path goes; only names are looked for in them. */
async function templateTexts({ path, templates }: AlertmanagerFile): Promise<string[]> {
  const found = await Promise.all(
    templates.map(async ({ pattern }) => {
      const full = resolve(dirname(path), pattern)
      const literal = basename(full).replaceAll(/[\\^$.+()|{}]/g, '\\$&')
      const wanted = new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`)
      const names = await readdir(dirname(full)).catch(() => [])
      const fitting = names.filter((name) => wanted.test(name))
      return Promise.all(fitting.map((name) => readFile(join(dirname(full), name), 'utf8').catch(() => '')))
    }),
  )
  return found.flat()
}
