import { isAlias, isCollection, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'

/**
 * Tells the line, from 1, on which a value of a YAML text begins; of a value that is not there (a missing key, one behind an alias)
 * the line of the nearest thing around it.
 */
export function lineFinder(text: string): (path: readonly PropertyKey[]) => number {
  const counter = new LineCounter()
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: counter, prettyErrors: false })
  return (path) => {
    let node: unknown = document.contents
    let offset = 0
    for (const part of [undefined, ...path]) {
      if (part !== undefined && isCollection(node)) {
        const key = isMap(node)
          ? node.items.find((pair) => isScalar(pair.key) && pair.key.value === String(part))?.key
          : undefined
        if (isNode(key) && key.range) offset = key.range[0]
        node = node.get(part, true)
      }
      if (isAlias(node)) break
      if (isNode(node) && node.range && !(typeof part === 'string')) offset = node.range[0]
      if (node === undefined) break
    }
    return counter.linePos(offset).line
  }
}
