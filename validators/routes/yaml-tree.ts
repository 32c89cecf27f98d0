import { isAlias, isMap, isScalar, isSeq, type Node, parseDocument, type Scalar } from 'yaml'
import { UsageError } from '../../lib/errors.ts'

/**
 * A YAML document in which each scalar is still the text that its author wrote: Alertmanager's reader (YAML 1.1) and
 * ours (1.2) differ on what `on`, `007` or `0x1F` are, so nothing that is handed on is interpreted here.
 */
export type Tree = Leaf | Tree[] | Branch
export type Branch = Map<string, Tree>
export interface Leaf {
  readonly text: string
  /** Written without quotes: `true`, `5m`, or nothing at all (null). */
  readonly plain: boolean
}

/** A string, whatever it looks like. */
export const quoted = (text: string): Leaf => ({ text, plain: false })
/** A number, a truth value, a duration. */
export const plain = (text: string): Leaf => ({ text, plain: true })

export const isBranch = (tree: Tree | undefined): tree is Branch => tree instanceof Map
export const isList = (tree: Tree | undefined): tree is Tree[] => Array.isArray(tree)
export const isLeaf = (tree: Tree | undefined): tree is Leaf => tree !== undefined && !isBranch(tree) && !isList(tree)

/** A tree of strings, lists and records; strings are quoted. */
export function branch(entries: Readonly<Record<string, Tree>>): Branch {
  return new Map(Object.entries(entries))
}

/** The text of a scalar at a key; undefined if it is absent or no scalar. */
export function textAt(tree: Branch, key: string): string | undefined {
  const value = tree.get(key)
  return isLeaf(value) ? value.text : undefined
}

const mostNodes = 200_000

/**
 * Reads a document; anchors, aliases and merge keys are resolved into copies.
 * @param name for the message
 * @throws UsageError if it is no YAML
 */
export function readTree(text: string, name: string): Tree {
  const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: true, prettyErrors: false })
  const problem = document.errors[0]
  if (problem) {
    const line = text.slice(0, problem.pos[0]).split('\n').length
    throw new UsageError(`${name}:${line} is not YAML (${problem.message}); correct it.`)
  }
  let nodes = 0
  const copied = (node: Node | null | undefined, within: readonly Node[]): Tree => {
    nodes += 1
    // A few aliases of aliases make billions of nodes.
    if (nodes > mostNodes)
      throw new UsageError(`${name} has more than ${mostNodes} values; is it an Alertmanager file?`)
    if (!node) return plain('')
    if (isAlias(node)) {
      const target = node.resolve(document)
      if (!target || within.includes(target))
        throw new UsageError(`${name} has an alias *${node.source} without its anchor.`)
      return copied(target, [...within, target])
    }
    if (isSeq<Node>(node)) return node.items.map((item) => copied(item, within))
    if (isMap<Scalar<string>, Node>(node)) {
      const [own, merged]: [Branch, Branch] = [new Map(), new Map()]
      for (const { key, value } of node.items) {
        const name = isScalar(key) ? String(key.value ?? '') : String(key)
        const tree = copied(value, within)
        if (name !== '<<') own.set(name, tree)
        else for (const source of isList(tree) ? tree : [tree]) if (isBranch(source)) add(merged, source)
      }
      return add(own, merged)
    }
    if (!isScalar(node)) throw new UsageError(`${name} has a value that is no scalar, list or map.`)
    return { text: String(node.value ?? ''), plain: node.type === 'PLAIN' && node.tag === undefined }
  }
  return copied(document.contents, [])
}

/** What is not yet there; YAML's own rule for merge keys: the first to say it is right. */
function add(to: Branch, from: Branch): Branch {
  for (const [key, value] of from) if (!to.has(key)) to.set(key, value)
  return to
}

/** The document as YAML in flow style, which is JSON but for plain scalars. */
export function writeTree(tree: Tree): string {
  if (isList(tree)) return `[${tree.map(writeTree).join(', ')}]`
  if (isBranch(tree)) {
    return `{${[...tree].map(([key, value]) => `${JSON.stringify(key)}: ${writeTree(value)}`).join(',\n')}}`
  }
  if (!tree.plain) return JSON.stringify(tree.text)
  if (tree.text === '') return 'null'
  // Whatever else was plain can only be a string, and might mean something in flow style.
  return /^[-+~.\w]+$/.test(tree.text) ? tree.text : JSON.stringify(tree.text)
}
