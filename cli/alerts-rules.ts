import { dirname, join, resolve, sep } from 'node:path'
import { EnvironmentError, type ExitCode, UsageError } from '../lib/errors.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { obtain } from '../stack/obtain.ts'
import { Gate, JsonClient } from '../validators/backends/http.ts'
import { Prometheus } from '../validators/backends/prometheus.ts'
import { type Endpoint, loadConfig } from '../validators/config.ts'
import { examineRules } from '../validators/rules/examine.ts'
import { filesMatching, readRuleFiles } from '../validators/rules/files.ts'
import type { LintContext } from '../validators/rules/lint/finding.ts'
import { findingsOf, lintResults } from '../validators/rules/lint/lint.ts'
import { liveResults } from '../validators/rules/live/live.ts'
import { LiveSource } from '../validators/rules/live/source.ts'
import { requireLoadable } from '../validators/rules/loadable.ts'
import { mutationResults } from '../validators/rules/mutation-results.ts'
import { parseRules, Recordings } from '../validators/rules/recordings.ts'
import type { RuleGroup } from '../validators/rules/rule-file.ts'
import { ruleKeys } from '../validators/rules/rule-keys.ts'
import { type Flags, verbosityOf } from './flags.ts'
import { interruptible } from './interrupt.ts'
import { rulesReport } from './rules-report.ts'
import { type Judged, type Print, reportVerdicts } from './verdicts.ts'

export interface RulesFlags extends Flags {
  readonly rules: readonly string[]
  readonly tests?: readonly string[]
  readonly prometheus?: string
  readonly update?: boolean
  readonly snapshot?: string
  /** Milliseconds. */
  readonly interval?: number
  readonly minScore?: number
}

/** The default of Prometheus' `global.evaluation_interval`. */
const usualIntervalMs = 60_000

/** `muster alerts rules`: everything that can be said of rule files, and of what their tests notice. */
export async function alertsRulesCommand(flags: RulesFlags): Promise<ExitCode> {
  const from = process.cwd()
  const files = await filesMatching(flags.rules, from, '--rules')
  return reportVerdicts(files[0] ?? from, flags, (print) => judgeRules(files, from, flags, print))
}

async function judgeRules(files: readonly string[], from: string, flags: RulesFlags, print: Print): Promise<Judged> {
  const signal = interruptible()
  const tests = flags.tests ? await filesMatching(flags.tests, from, '--tests') : undefined
  const read = await readRuleFiles(files, from)
  const progress = progressLine(flags)
  const { promtool } = await obtain(['promtool'], { signal, onProgress: ({ text }) => progress.say(text) })
  await requireLoadable(promtool, files, from, signal)
  const source = flags.prometheus === undefined ? undefined : await connect(flags.prometheus, flags, signal)
  const known = flags.interval ?? (source && (await intervalOf(source, read)))
  const groups = read.map((group) => ({ ...group, intervalMs: group.intervalMs ?? known ?? usualIntervalMs }))

  // The lint sees what the files say, so that it can tell an interval that is assumed.
  const rules = parseRules(read)
  const recordings = new Recordings(rules)
  const context: LintContext = {
    rules,
    recordings,
    defaultInterval: { ms: known ?? usualIntervalMs, known: known !== undefined },
    ...(source ? { metricTypes: await source.catalogue.metricTypes(signal) } : {}),
  }
  const findings = findingsOf(context)
  const live = source ? await liveResults({ rules, recordings, keys: ruleKeys(rules), source }) : []
  const examination = await examineRules({
    groups,
    snapshotPath:
      flags.snapshot === undefined ? snapshotBeside(flags.rules, files, from) : resolve(from, flags.snapshot),
    update: flags.update ?? false,
    promtool,
    ...(tests ? { tests: tests.map((file) => resolve(from, file)) } : {}),
    signal,
    onProgress: progress.say,
  })
  progress.end()
  const results: CheckResult[] = [
    ...lintResults(context, findings),
    ...live,
    ...examination.results,
    ...mutationResults(examination.mutation, flags.minScore),
  ]
  print(rulesReport(rules, findings, examination, process.stdout))
  return { results, sentence: `${rules.length} rules do what their expressions say.` }
}

/**
 * Beside the rules, under a name that no pattern for rule files matches. A file that is named alone has a snapshot of
 * its own, so that it does not take the rules of its neighbours for lost.
 */
function snapshotBeside(patterns: readonly string[], files: readonly string[], from: string): string {
  const [pattern = '', ...others] = patterns
  const [alone = ''] = files
  if (others.length === 0 && resolve(from, pattern) === resolve(from, alone)) {
    return resolve(from, alone).replace(/(\.[^./\\]*)?$/, '.snapshot')
  }
  const folders = files.map((file) => dirname(resolve(from, file)))
  const common = folders.reduce((a, b) => {
    let folder = a
    while (b !== folder && !b.startsWith(folder === sep ? sep : folder + sep)) folder = dirname(folder)
    return folder
  })
  return join(common, 'rules.snapshot')
}

async function connect(text: string, flags: RulesFlags, signal: AbortSignal): Promise<LiveSource> {
  const endpoint = await endpointOf(text, flags)
  const prometheus = new Prometheus(new JsonClient('prometheus', endpoint, new Gate(4)))
  try {
    return new LiveSource(prometheus, await prometheus.now(signal), signal)
  } catch (error) {
    signal.throwIfAborted()
    throw new EnvironmentError(`--prometheus: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Credentials come from the config's backends.prometheus, if that is where to ask; never from the URL, which is printed. */
async function endpointOf(text: string, { config }: RulesFlags): Promise<Endpoint> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `--prometheus must be a URL such as http://127.0.0.1:9090, not ${JSON.stringify(withoutUser(text))}.`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      '--prometheus must not hold credentials: name them in backends.prometheus.auth of a config, and give --config.',
    )
  }
  const known = config === undefined ? undefined : (await loadConfig(config, process.cwd())).backends?.prometheus
  const own = known && new URL(known.url).origin === url.origin ? known : undefined
  return { timeoutMs: 10_000, ui: true, ...own, url: text }
}

function withoutUser(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//…@')
}

/** What Prometheus says of its interval where it has loaded one of these groups, whatever its file says. */
async function intervalOf(source: LiveSource, groups: readonly RuleGroup[]): Promise<number | undefined> {
  const loaded = await source.catalogue.groups(source.signal)
  const silent = new Set(groups.filter(({ intervalMs }) => intervalMs === undefined).map(({ name }) => name))
  return loaded.find(({ name }) => silent.has(name))?.intervalMs
}

/** What is being done, on one line that a terminal overwrites; silent elsewhere. */
function progressLine(flags: RulesFlags): { readonly say: (text: string) => void; readonly end: () => void } {
  const { stderr } = process
  const shown = stderr.isTTY && verbosityOf(flags) !== 'quiet'
  return {
    say: (text) => {
      if (shown) stderr.write(`\r\x1b[K${text.slice(0, Math.max(20, (stderr.columns ?? 80) - 1))}`)
    },
    end: () => {
      if (shown) stderr.write('\r\x1b[K')
    },
  }
}
