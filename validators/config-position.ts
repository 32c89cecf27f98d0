import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { PositionFinder } from '../lib/position.ts'
import { parseThresholds, type ThresholdRecord } from '../lib/threshold.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { slug } from './alerts/notifications.ts'
import type { Config } from './config.ts'
import { lineFinder } from './routes/yaml-lines.ts'
import type { Planned } from './scenarios.ts'
import { scriptPosition } from './script-position.ts'
import { sloId } from './slo/slo.ts'

type Asked = Pick<CheckResult, 'id' | 'scenario'>
type Path = readonly (string | number)[]

/**
 * Tells on which line of the user's config stands what a check expects: a threshold, a trial of an alert, a service, an SLO,
 * or else the scenario; for the whole run the line where the config begins.
 * @param planned the scenarios of the run, by whose files the config's entries are known
 */
export function configPositions(config: Config, planned: readonly Planned[]): PositionFinder {
  // Asked for only when something is red: then a line more or less to read does not count.
  let find: ReturnType<typeof finderOf> | undefined
  return (check) => {
    find ??= finderOf(config.file)
    return find(statedBy(check, config, planned))
  }
}

function finderOf(file: string): (path: Path) => ReturnType<PositionFinder> {
  if (!/\.ya?ml$/.test(file)) return scriptPosition(file)
  try {
    const line = lineFinder(readFileSync(file, 'utf8'))
    return (path) => ({ file, line: line(path) })
  } catch {
    return () => undefined
  }
}

/** The path in the config of what a check expects. */
function statedBy(check: Asked, config: Config, planned: readonly Planned[]): Path {
  const file = planned.find(({ scenario }) => scenario.name === check.scenario)?.file
  const index = config.scenarios.findIndex((entry) => resolve(config.folder, entry.file) === file)
  const scenario: Path = index < 0 ? [] : ['scenarios', index]
  const [signal = '', topic = '', ...rest] = check.id.split('.')
  const about = rest.join('.')
  if (signal === 'load' && topic === 'threshold') return thresholdPath(check.id, config, index) ?? scenario
  if (signal === 'load' && topic === 'dropped') return config.maxDropped > 0 ? ['maxDropped'] : scenario
  if (topic === 'freshness') return ['freshness', 'p95', signal]
  if (signal === 'alerts') return trialPath(about, config)
  if (signal === 'slo') return sloPath(about, config)
  if (check.id === 'logs.secrets') return ['secrets']
  if (check.id === 'traces.attributes') return ['traces', 'required']
  if (!Object.hasOwn(config.services, about)) return scenario
  const service: Path = ['services', about]
  if (signal === 'logs' || signal === 'traces') return [...service, signal]
  return service
}

function thresholdPath(id: string, config: Config, index: number): Path | undefined {
  const own = config.scenarios[index]
  const places: [Path, ThresholdRecord][] = [
    ...(own ? [[['scenarios', index, 'thresholds'], own.thresholds] satisfies [Path, ThresholdRecord]] : []),
    [['thresholds'], config.thresholds],
  ]
  for (const [path, record] of places) {
    for (const [key, expressions] of Object.entries(record)) {
      const at = expressions.findIndex((expression) =>
        parseThresholds({ [key]: [expression] }).thresholds.some(
          (one) => id === `load.threshold.${one.key}.${one.aggregation}`,
        ),
      )
      if (at >= 0) return [...path, key, at]
    }
  }
  return undefined
}

/** Checks name the alert, and the trial too where several expect it; some name the trial alone. */
function trialPath(about: string, { alerts }: Config): Path {
  for (const [n, { name, expect }] of alerts.entries()) {
    const at = expect.findIndex(({ alert }) =>
      [alert, `${alert}@${name}`].some((called) => about === called || about.startsWith(`${called}.`)),
    )
    if (at >= 0) return ['alerts', n, 'expect', at]
    if (about === slug(name)) return ['alerts', n]
  }
  return ['alerts']
}

function sloPath(about: string, { slos }: Config): Path {
  const at = slos.findIndex((slo) => about === sloId(slo) || about.startsWith(`${sloId(slo)}.`))
  return at < 0 ? ['slos'] : ['slos', at]
}
