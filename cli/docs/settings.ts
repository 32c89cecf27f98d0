import { z } from 'zod'
import { configSchema } from '../../validators/config.ts'

/** As much of JSON Schema as zod writes of the config. */
interface Shape {
  readonly title?: string
  readonly description?: string
  readonly type?: string
  readonly format?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly items?: Shape
  readonly additionalProperties?: Shape | boolean
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
}
const shape: z.ZodType<Shape> = z.lazy(() =>
  z.looseObject({
    title: z.string().exactOptional(),
    description: z.string().exactOptional(),
    type: z.string().exactOptional(),
    format: z.string().exactOptional(),
    const: z.unknown().optional(),
    enum: z.array(z.unknown()).exactOptional(),
    default: z.unknown().optional(),
    properties: z.record(z.string(), shape).exactOptional(),
    required: z.array(z.string()).exactOptional(),
    items: shape.exactOptional(),
    additionalProperties: z.union([z.boolean(), shape]).exactOptional(),
    anyOf: z.array(shape).exactOptional(),
    oneOf: z.array(shape).exactOptional(),
  }),
)

/** A setting of the config, `services.<name>.logs.message`. */
export interface Setting {
  readonly path: string
  /** What chooses the alternative that it belongs to: `kind: "http"`. */
  readonly only: string | undefined
  readonly type: string
  /** As it would be written; undefined if there is none. */
  readonly preset: string | undefined
  readonly required: boolean
  readonly meaning: string
}

/** The config's schema as JSON Schema, for editors of YAML and of JSON. */
export function configJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }), null, 2)}\n`
}

/** Every setting of the config, depth first. */
export function settings(): Setting[] {
  const root = shape.parse(JSON.parse(configJsonSchema()))
  return within(root, '', undefined)
}

/** The reference of the config, as Markdown: a section for each setting at the top. */
export function settingsReference(): string {
  const all = settings()
  const sections = all
    .filter(({ path }) => /^\w+$/.test(path))
    .map((top) => {
      const below = all.filter(({ path }) => path.startsWith(`${top.path}.`) || path.startsWith(`${top.path}[`))
      const facts = [
        ...(top.type === 'settings' ? [] : [`\`${top.type}\``]),
        ...(top.required ? ['required'] : []),
        ...(top.preset === undefined ? [] : [`default \`${top.preset}\``]),
      ].join(', ')
      const blocks = [`## ${top.path}`, top.meaning, facts, below.length > 0 ? table(below) : '']
      return blocks.filter((block) => block !== '').join('\n\n')
    })
  return [
    '# The config',
    [
      '`muster.config.ts` (or `.js`, `.yaml`, `.yml`), looked for upward from the working directory, or named by `--config`. Relative paths in it',
      'are relative to it. An unknown setting is an error, and all problems are told at once. `defineConfig` gives it its type; an editor of YAML',
      'takes [config.schema.json](config.schema.json), which says the same as this page:',
    ].join('\n'),
    '    # yaml-language-server: $schema=node_modules/passmuster/docs/config.schema.json',
    'A duration is a text such as `500ms`, `10s` or `1m30s`. `<name>` is a name of yours, `[]` an entry of a list.',
    ...sections,
  ]
    .join('\n\n')
    .concat('\n')
}

function table(rows: readonly Setting[]): string {
  const lines = rows.map(({ path, type, preset, required, meaning, only }) => {
    const told = [...(only === undefined ? [] : [`With \`${only}\`.`]), meaning].filter((text) => text !== '').join(' ')
    const fallback = required ? 'required' : preset === undefined ? '' : `\`${cell(preset)}\``
    return `| \`${path}\` | \`${cell(type)}\` | ${fallback} | ${cell(told)} |`
  })
  return ['| setting | type | default | meaning |', '| --- | --- | --- | --- |', ...lines].join('\n')
}

function within(node: Shape, path: string, only: string | undefined): Setting[] {
  const siblings: Sibling[] = []
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    if (child.const !== undefined) return []
    const at = path === '' ? key : `${path}.${key}`
    const setting = settingOf(child, at, only, node.required?.includes(key) === true)
    const below = within(child, at, only)
    const like = siblings.find((other) => other.below.length > 1 && missing(other, { path: at, below }).length === 0)
    siblings.push({ path: at, below })
    if (like === undefined) return [setting, ...below]
    const meaning = `${setting.meaning} Its settings are those of \`${like.path}\``
    const more = missing({ path: at, below }, like)
    return [{ ...setting, meaning: `${meaning}${more.length > 0 ? ', and these' : ''}.`.trim() }, ...more]
  })
  const { additionalProperties, items } = node
  return [
    ...own,
    ...alternatives(node).flatMap((choice) => {
      const [key, chosen] = Object.entries(choice.properties ?? {}).find(([, one]) => one.const !== undefined) ?? []
      const word = chosen === undefined ? only : `${key}: ${JSON.stringify(chosen.const)}`
      return within(choice, path, word)
    }),
    ...(typeof additionalProperties === 'object' ? within(additionalProperties, `${path}.<name>`, only) : []),
    ...(items === undefined ? [] : within(items, `${path}[]`, only)),
  ]
}

interface Sibling {
  readonly path: string
  readonly below: readonly Setting[]
}

/** The settings of one that another one does not have in the same words. */
function missing(one: Sibling, other: Sibling): readonly Setting[] {
  const relative = (setting: Setting, path: string) =>
    JSON.stringify({ ...setting, path: setting.path.slice(path.length) })
  const known = new Set(other.below.map((setting) => relative(setting, other.path)))
  return one.below.filter((setting) => !known.has(relative(setting, one.path)))
}

function settingOf(node: Shape, path: string, only: string | undefined, required: boolean): Setting {
  const preset = node.default === undefined ? undefined : JSON.stringify(node.default)
  const choices = alternatives(node).flatMap(({ description, properties }) => {
    const chosen = Object.values(properties ?? {}).find((one) => one.const !== undefined)
    return description === undefined || chosen === undefined
      ? []
      : [`\`${JSON.stringify(chosen.const)}\`: ${description}`]
  })
  return {
    path,
    only,
    type: typeOf(node),
    // An empty object only says that everything in it has a default.
    preset: preset === '{}' ? undefined : preset,
    required: required && node.default === undefined,
    meaning: [node.description ?? '', ...choices].filter((text) => text !== '').join(' '),
  }
}

function alternatives({ anyOf, oneOf }: Shape): readonly Shape[] {
  return anyOf ?? oneOf ?? []
}

function typeOf(node: Shape): string {
  const choices = alternatives(node)
  if (choices.length > 0) {
    const chosen = choices.flatMap(({ properties }) =>
      Object.entries(properties ?? {}).flatMap(([key, one]) => (one.const === undefined ? [] : [[key, one.const]])),
    )
    if (chosen.length === choices.length)
      return `${chosen[0]?.[0]}: ${chosen.map(([, one]) => JSON.stringify(one)).join(' | ')}`
    return [...new Set(choices.map(typeOf))].join(' | ')
  }
  if (node.title !== undefined) return node.title
  if (node.const !== undefined) return JSON.stringify(node.const)
  if (node.enum) return node.enum.map((one) => JSON.stringify(one)).join(' | ')
  if (node.type === 'array')
    return `list of ${node.items ? typeOf(node.items).replace(/^.* \| .*$/, '($&)') : 'anything'}`
  if (node.type === 'object') {
    const { additionalProperties: values } = node
    return typeof values === 'object' ? `name to ${typeOf(values)}` : 'settings'
  }
  if (node.format === 'uri') return 'URL'
  if (node.format === 'date') return 'day'
  return (
    { string: 'text', integer: 'whole number', boolean: 'true | false' }[node.type ?? ''] ?? node.type ?? 'anything'
  )
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
