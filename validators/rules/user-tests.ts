import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { UsageError } from '../../lib/errors.ts'
import type { MutationScore } from './examine.ts'
import { selectorsOf } from './expression.ts'
import type { Mutant } from './mutants.ts'
import { parsePromql } from './promql.ts'
import { type PromtoolOptions, runPromtool, type TestFile } from './promtool.ts'
import type { RuleInContext } from './reading.ts'
import type { Rule } from './rule-file.ts'

const alertTest = z.looseObject({ alertname: z.string() })
const expressionTest = z.looseObject({ expr: z.string() })
const schema = z.looseObject({
  rule_files: z.array(z.string()),
  tests: z.array(
    z.looseObject({
      alert_rule_test: z.array(alertTest).optional(),
      promql_expr_test: z.array(expressionTest).optional(),
    }),
  ),
})

/** One of the user's promtool test files. */
export interface UserTests {
  readonly path: string
  readonly content: z.infer<typeof schema>
}

/** @throws UsageError for a file that cannot be read or holds no promtool tests */
export async function readUserTests(paths: readonly string[]): Promise<UserTests[]> {
  return Promise.all(
    paths.map(async (path) => {
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        throw new UsageError(`${path} cannot be read (${String(error)}); name promtool test files with --tests.`)
      })
      let content: unknown
      try {
        content = parse(text)
      } catch (error) {
        const [line = ''] = String(error instanceof Error ? error.message : error).split('\n')
        throw new UsageError(`${path} is no YAML (${line}); correct it there.`)
      }
      const read = schema.safeParse(content)
      if (read.success) return { path, content: read.data }
      const [issue] = read.error.issues
      throw new UsageError(
        `${path} holds no promtool tests (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}); name test files with --tests.`,
      )
    }),
  )
}

/** A rule, its valid mutants, and all rules by which its tests may need others. */
export interface Tried {
  readonly context: RuleInContext
  readonly mutants: readonly Mutant[]
}

/** Runs, for each mutant, the tests that name its rule; promtool says whether they notice. */
export async function scoreUserTests(
  tried: readonly Tried[],
  tests: readonly UserTests[],
  all: readonly RuleInContext[],
  options: Omit<PromtoolOptions, 'dump'>,
): Promise<MutationScore[]> {
  const suites = tried.map(({ context }) => tests.flatMap((one) => narrowed(one, context, all) ?? []))
  const asItIs = await run(
    tried.flatMap(({ context }, index) => (suites[index] ?? []).map((suite) => testFile(suite, context.rule))),
  )
  const complaints = grouped(
    asItIs,
    suites.map((own) => own.length),
  )
  const sound = tried.map(
    (_, index) => (suites[index] ?? []).length > 0 && (complaints[index] ?? []).every((own) => own === undefined),
  )
  const killed = new Set<Mutant>()
  // One test group notices most mutants; only what survives it meets the others.
  for (const share of [(suite: Suite) => part(suite, 0, 1), (suite: Suite) => part(suite, 1)]) {
    const trials = tried.flatMap(({ context, mutants }, index) =>
      (sound[index] ? mutants : [])
        .filter((mutant) => !killed.has(mutant))
        .flatMap((mutant) =>
          (suites[index] ?? [])
            .map(share)
            .filter(({ content }) => content.tests.length > 0)
            .map((suite) => ({ mutant, file: testFile(suite, context.rule, mutant) })),
        ),
    )
    const answers = await run(trials.map(({ file }) => file))
    for (const [index, { mutant }] of trials.entries()) if (answers[index] !== undefined) killed.add(mutant)
  }
  return tried.map(({ context: { rule }, mutants }, index) => {
    const { file, line, name } = rule
    const base = { file, line, rule: name, suite: 'own' as const }
    const none = { ...base, mutants: 0, killed: 0, survivors: [] }
    if ((suites[index] ?? []).length === 0) return { ...none, reason: 'no test names it' }
    const broken = complaints[index]?.find((one) => one !== undefined)
    if (broken !== undefined) return { ...none, reason: `its tests fail on the rule as it is: ${broken}` }
    const survivors = mutants.filter((mutant) => !killed.has(mutant))
    return {
      ...base,
      mutants: mutants.length,
      killed: mutants.length - survivors.length,
      survivors: survivors.map(({ what }) => what),
    }
  })

  /** By file: the first complaint, or undefined. */
  async function run(files: readonly TestFile[]): Promise<(string | undefined)[]> {
    const { complaints: found } = await runPromtool(files, { ...options, dump: false })
    return files.map((_, index) => found.get(index)?.[0])
  }
}

function grouped<Item>(items: readonly Item[], sizes: readonly number[]): Item[][] {
  let at = 0
  return sizes.map((size) => {
    at += size
    return items.slice(at - size, at)
  })
}

/** Some of a suite's test groups. */
function part({ content, rules }: Suite, from: number, to?: number): Suite {
  return { content: { ...content, tests: content.tests.slice(from, to) }, rules }
}

interface Suite {
  readonly content: UserTests['content']
  /** In the order of evaluation. */
  readonly rules: readonly Rule[]
}

/** What of a test file names a rule, with the rules it takes; undefined if nothing does. */
function narrowed(
  { path, content }: UserTests,
  context: RuleInContext,
  all: readonly RuleInContext[],
): Suite | undefined {
  const { rule } = context
  if (!content.rule_files.some((pattern) => means(resolve(dirname(path), pattern), resolve(rule.file))))
    return undefined
  const read = new Set<string>()
  const tests = content.tests.flatMap((test) => {
    const alerts =
      rule.kind === 'alert' ? (test.alert_rule_test ?? []).filter(({ alertname }) => alertname === rule.name) : []
    const expressions = (test.promql_expr_test ?? []).filter(({ expr }) => names(expr, rule))
    for (const { expr } of expressions) for (const metric of metricsOf(expr)) read.add(metric)
    if (alerts.length + expressions.length === 0) return []
    const { alert_rule_test: _, promql_expr_test: __, ...rest } = test
    return [
      {
        ...rest,
        ...(alerts.length > 0 ? { alert_rule_test: alerts } : {}),
        ...(expressions.length > 0 ? { promql_expr_test: expressions } : {}),
      },
    ]
  })
  if (tests.length === 0) return undefined
  const same = all.filter((one) => one.rule.name === rule.name && one.rule.kind === rule.kind)
  const asked = all.filter((one) => one.rule.kind === 'record' && read.has(one.rule.name))
  const rules = new Set([...asked, ...same].flatMap((one) => [...one.recordings, one.rule]))
  return { content: { ...content, tests }, rules: [...rules] }
}

function metricsOf(expr: string): string[] {
  try {
    return selectorsOf(parsePromql(expr)).flatMap(({ metric }) => metric ?? [])
  } catch {
    return []
  }
}

/** Whether an expression of a test asks for a recorded metric, or for the state of an alert. */
function names(expr: string, rule: Rule): boolean {
  if (rule.kind === 'record') return metricsOf(expr).includes(rule.name)
  try {
    return selectorsOf(parsePromql(expr)).some(
      ({ metric, matchers }) =>
        metric?.startsWith('ALERTS') &&
        matchers.some(({ label, op, value }) => label === 'alertname' && op === '=' && value === rule.name),
    )
  } catch {
    return false
  }
}

/** Whether a path of `rule_files`, which may hold `*` and `?` as Go's filepath.Glob, means a file. */
function means(pattern: string, file: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
  return new RegExp(`^${escaped}$`).test(file)
}

/** A test file whose rules are the real ones but for one change. */
function testFile({ content, rules }: Suite, rule: Rule, mutant?: Mutant): TestFile {
  const group = rules.map((one) => {
    const { expr, forMs } = one === rule && mutant ? mutant : one
    return one.kind === 'record'
      ? { record: one.name, expr, labels: one.labels }
      : {
          alert: one.name,
          expr,
          for: `${forMs}ms`,
          keep_firing_for: `${one.keepFiringForMs}ms`,
          labels: one.labels,
          annotations: one.annotations,
        }
  })
  // The order of groups is that of the one group that is left.
  const { group_eval_order: _, ...rest } = content
  return {
    files: {
      'rules.yml': stringify({ groups: [{ name: 'g', rules: group }] }),
      'test.yml': stringify({ ...rest, rule_files: ['rules.yml'] }),
    },
    test: 'test.yml',
    cost: content.tests.length,
  }
}
