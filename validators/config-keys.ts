import { z } from 'zod'

type Node = z.core.JSONSchema.JSONSchema

/** The settings that a schema knows at a path, in any of its variants; none where the path leads nowhere. */
export function settingsAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const top = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' })
  const nodes = path.reduce<Node[]>((found, key) => found.flatMap((node) => below(node, String(key))), variants(top))
  return [...new Set(nodes.flatMap(({ properties = {} }) => Object.keys(properties)))]
}

function below({ properties = {}, additionalProperties, items }: Node, key: string): Node[] {
  const ways = [properties[key] ?? additionalProperties, Array.isArray(items) ? undefined : items]
  return ways.flatMap((way) => (typeof way === 'object' ? variants(way) : []))
}

function variants(node: Node): Node[] {
  const { anyOf = [], oneOf = [], allOf = [] } = node
  const inner = [...anyOf, ...oneOf, ...allOf].flatMap((one) => (typeof one === 'object' ? variants(one) : []))
  return [node, ...inner]
}
