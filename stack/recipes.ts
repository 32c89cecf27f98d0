import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** In the order of building: what a build leaves in the build cache shortens the next one. */
export const binaryNames = [
  'k6',
  'prometheus',
  'promtool',
  'alertmanager',
  'amtool',
  'timeinterval',
  'jaeger',
  'loki',
] as const
export type BinaryName = (typeof binaryNames)[number]

/** How one program is built from its pinned Go module, and how it is recognised. */
export interface Recipe {
  readonly name: BinaryName
  readonly title: string
  /** The version that is built. */
  readonly version: string
  /** Versions that are taken from the user: from this one (inclusive) to the next named major (exclusive). */
  readonly accepts: { readonly from: readonly [major: number, minor: number]; readonly belowMajor: number }
  /** The environment variable that names the user's own program. */
  readonly variable: string
  /** Go package; its version is pinned in `modules/<name>/go.mod`. */
  readonly package: string
  /** Go files of our own in the module's folder, for a program that nobody publishes. */
  readonly sources?: readonly string[]
  readonly tags: readonly string[]
  /** Programs built from modules report no version, so it is linked in. */
  readonly ldflags: readonly string[]
  readonly versionArguments: readonly string[]
  /** First group: the version. */
  readonly versionPattern: RegExp
  /** Measured on 2 cores, in this order, with a build cache that starts empty. */
  readonly coldSeconds: number
}

const prometheusVersion = 'github.com/prometheus/common/version.Version'

export const recipes: Readonly<Record<BinaryName, Recipe>> = {
  k6: {
    name: 'k6',
    title: 'k6',
    version: '1.8.1',
    accepts: { from: [1, 0], belowMajor: 3 },
    variable: 'MUSTER_K6',
    package: 'go.k6.io/k6',
    tags: [],
    ldflags: [],
    versionArguments: ['version'],
    versionPattern: /k6(?:\.exe)? v(\d+\.\d+\.\d+)/,
    coldSeconds: 112,
  },
  alertmanager: {
    name: 'alertmanager',
    title: 'Alertmanager',
    version: '0.31.1',
    accepts: { from: [0, 27], belowMajor: 1 },
    variable: 'MUSTER_ALERTMANAGER',
    package: 'github.com/prometheus/alertmanager/cmd/alertmanager',
    tags: [],
    ldflags: ['-X', `${prometheusVersion}=0.31.1`],
    versionArguments: ['--version'],
    versionPattern: /alertmanager, version (\d+\.\d+\.\d+)/,
    coldSeconds: 51,
  },
  prometheus: {
    name: 'prometheus',
    title: 'Prometheus',
    version: '3.15.0',
    accepts: { from: [3, 0], belowMajor: 4 },
    variable: 'MUSTER_PROMETHEUS',
    package: 'github.com/prometheus/prometheus/cmd/prometheus',
    // Targets are static here: the clouds' discovery code is left out. What that saves was not measured by itself.
    tags: ['remove_all_sd'],
    ldflags: ['-X', `${prometheusVersion}=3.15.0`],
    versionArguments: ['--version'],
    versionPattern: /prometheus, version (\d+\.\d+\.\d+)/,
    coldSeconds: 114,
  },
  promtool: {
    name: 'promtool',
    title: 'promtool',
    version: '3.15.0',
    accepts: { from: [3, 0], belowMajor: 4 },
    variable: 'MUSTER_PROMTOOL',
    package: 'github.com/prometheus/prometheus/cmd/promtool',
    // Rules alone are judged: the clouds' discovery code is left out.
    tags: ['remove_all_sd'],
    ldflags: ['-X', `${prometheusVersion}=3.15.0`],
    versionArguments: ['--version'],
    versionPattern: /promtool, version (\d+\.\d+\.\d+)/,
    coldSeconds: 60,
  },
  amtool: {
    name: 'amtool',
    title: 'amtool',
    version: '0.31.1',
    accepts: { from: [0, 27], belowMajor: 1 },
    variable: 'MUSTER_AMTOOL',
    package: 'github.com/prometheus/alertmanager/cmd/amtool',
    tags: [],
    ldflags: ['-X', `${prometheusVersion}=0.31.1`],
    versionArguments: ['--version'],
    versionPattern: /amtool, version (\d+\.\d+\.\d+)/,
    coldSeconds: 3,
  },
  timeinterval: {
    name: 'timeinterval',
    title: "Alertmanager's time intervals",
    version: '0.31.1',
    accepts: { from: [0, 31], belowMajor: 1 },
    variable: 'MUSTER_TIMEINTERVAL',
    package: 'muster.invalid/stack/timeinterval',
    sources: ['main.go'],
    tags: [],
    ldflags: [],
    versionArguments: ['--version'],
    versionPattern: /muster's timeinterval, with alertmanager v(\d+\.\d+\.\d+)/,
    coldSeconds: 1,
  },
  jaeger: {
    name: 'jaeger',
    title: 'Jaeger',
    version: '2.13.0',
    accepts: { from: [2, 10], belowMajor: 3 },
    variable: 'MUSTER_JAEGER',
    package: 'github.com/jaegertracing/jaeger/cmd/jaeger',
    tags: [],
    ldflags: ['-X', 'github.com/jaegertracing/jaeger/internal/version.latestVersion=v2.13.0'],
    versionArguments: ['version'],
    versionPattern: /git-?version["=:]+v?(\d+\.\d+\.\d+)/i,
    coldSeconds: 267,
  },
  loki: {
    name: 'loki',
    title: 'Loki',
    version: '3.7.8',
    accepts: { from: [3, 0], belowMajor: 4 },
    variable: 'MUSTER_LOKI',
    package: 'github.com/grafana/loki/v3/cmd/loki',
    tags: [],
    ldflags: ['-X', 'github.com/grafana/loki/v3/pkg/util/build.Version=3.7.8'],
    versionArguments: ['--version'],
    versionPattern: /loki, version (\d+\.\d+\.\d+)/,
    coldSeconds: 313,
  },
}

/** The folder with the go.mod and go.sum of a recipe. */
export function moduleFolder(name: BinaryName): string {
  return fileURLToPath(new URL(`modules/${name}`, import.meta.url))
}

/** The arguments of `go` that build a recipe into `output`; run in its module folder. */
export function buildArguments(recipe: Recipe, output: string): string[] {
  return [
    'build',
    '-mod=readonly',
    '-trimpath',
    '-buildvcs=false',
    `-tags=${recipe.tags.join(',')}`,
    `-ldflags=${['-s', '-w', ...recipe.ldflags].join(' ')}`,
    '-o',
    output,
    recipe.package,
  ]
}

/**
 * Twelve hexadecimal digits over all that decides what a build yields, `sources` of our own included. The same on every machine of a platform:
 * line ends are made equal, and titles, estimates and patterns are left out.
 */
export function recipeHash(recipe: Recipe, goMod: string, goSum: string, ...sources: readonly string[]): string {
  const lines = (text: string) => text.replaceAll('\r\n', '\n')
  const hash = createHash('sha256')
  hash.update(JSON.stringify([process.platform, process.arch, recipe.version, buildArguments(recipe, '')]))
  for (const text of [goMod, goSum, ...sources]) hash.update(`\0${lines(text)}`)
  return hash.digest('hex').slice(0, 12)
}

/** The name of a recipe's folder in the cache, `<name>-<version>-<hash>`. */
export function cacheName(name: BinaryName): string {
  const recipe = recipes[name]
  const read = (file: string) => readFileSync(`${moduleFolder(name)}/${file}`, 'utf8')
  const sources = recipe.sources?.map(read) ?? []
  return `${name}-${recipe.version}-${recipeHash(recipe, read('go.mod'), read('go.sum'), ...sources)}`
}

/** The version in what a program printed about itself. */
export function versionIn(recipe: Recipe, output: string): string | undefined {
  return recipe.versionPattern.exec(output)?.[1]
}

/** Whether a user's program of this version will do. */
export function versionFits(recipe: Recipe, version: string): boolean {
  const [major = -1, minor = -1] = version.split('.').map(Number)
  const [fromMajor, fromMinor] = recipe.accepts.from
  if (major >= recipe.accepts.belowMajor) return false
  return major > fromMajor || (major === fromMajor && minor >= fromMinor)
}
