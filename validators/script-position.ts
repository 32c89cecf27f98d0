import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SyntaxNode } from '@lezer/common'
import { parser } from '@lezer/javascript'
import type { Position } from '../lib/position.ts'

/** An expression, and the file that it stands in. */
interface Spot {
  readonly module: ScriptModule
  readonly node: SyntaxNode
}

/** Imports are followed so far; a file that imports itself in a circle must not hold up anybody. */
const mostSteps = 50

/**
 * Tells where the default export of a TypeScript or JavaScript file states a value: for a value that is not there, or that only
 * running the file could tell, the nearest thing around it. Follows constants, spreads, and imports of files.
 */
export function scriptPosition(file: string): (path: readonly PropertyKey[]) => Position | undefined {
  const modules = new Modules()
  return (path) => {
    const start = modules.get(file)?.exported('default')
    if (start === undefined) return undefined
    const { module, node } = walked(start, path, { left: mostSteps }).last
    return { file: module.file, line: module.lineOf(node.from) }
  }
}

class Modules {
  private readonly known = new Map<string, ScriptModule | undefined>()

  get(file: string): ScriptModule | undefined {
    if (!this.known.has(file)) this.known.set(file, this.read(file))
    return this.known.get(file)
  }

  private read(file: string): ScriptModule | undefined {
    try {
      return new ScriptModule(file, readFileSync(file, 'utf8'), this)
    } catch {
      // Where it stands is a help for readers; that it cannot be told is no failure.
      return undefined
    }
  }
}

class ScriptModule {
  readonly file: string
  private readonly text: string
  private readonly modules: Modules
  private readonly top: SyntaxNode

  constructor(file: string, text: string, modules: Modules) {
    this.file = file
    this.text = text
    this.modules = modules
    this.top = parser.configure({ dialect: 'ts' }).parse(text).topNode
  }

  textOf({ from, to }: SyntaxNode): string {
    return this.text.slice(from, to)
  }

  lineOf(offset: number): number {
    return this.text.slice(0, offset).split('\n').length
  }

  /** The expression behind an export. */
  exported(name: string): Spot | undefined {
    for (const statement of this.top.getChildren('ExportDeclaration')) {
      if (name === 'default' && statement.getChild('default')) {
        const node = statement.lastChild
        if (node) return { module: this, node: node.name === ';' ? (node.prevSibling ?? node) : node }
      }
      const declared = statement.getChild('VariableDeclaration')
      const found = declared && this.initial(declared, name)
      if (found) return found
    }
    return undefined
  }

  /** The expression that a name stands for, here or in the file that it is imported from. */
  named(name: string): Spot | undefined {
    for (const statement of this.top.getChildren('VariableDeclaration')) {
      const found = this.initial(statement, name)
      if (found) return found
    }
    for (const statement of this.top.getChildren('ImportDeclaration')) {
      const found = this.imported(statement, name)
      if (found) return found
    }
    return this.exported(name)
  }

  private initial(declaration: SyntaxNode, name: string): Spot | undefined {
    const variables = declaration.getChildren('VariableDefinition')
    const variable = variables.find((one) => this.textOf(one) === name)
    let node = variable?.nextSibling
    // A type annotation may stand between the name and its value.
    while (node && node.name !== 'Equals' && node.name !== ',') node = node.nextSibling
    const value = node?.name === 'Equals' ? node.nextSibling : undefined
    return value ? { module: this, node: value } : undefined
  }

  private imported(declaration: SyntaxNode, name: string): Spot | undefined {
    const source = declaration.getChild('String')
    const from = source && textOfString(this.textOf(source))
    if (!from || !/^(\.{0,2}\/|file:)/.test(from)) return undefined
    const file = from.startsWith('file:') ? fileURLToPath(from) : resolve(dirname(this.file), from)
    const original = this.importedName(declaration, name)
    return original === undefined ? undefined : this.modules.get(file)?.exported(original)
  }

  private importedName(declaration: SyntaxNode, name: string): string | undefined {
    const whole = declaration.getChildren('VariableDefinition').some((one) => this.textOf(one) === name)
    if (whole) return 'default'
    for (const local of declaration.getChild('ImportGroup')?.getChildren('VariableDefinition') ?? []) {
      if (this.textOf(local) !== name) continue
      const before = local.prevSibling?.name === 'as' ? local.prevSibling.prevSibling : undefined
      return before ? this.textOf(before) : name
    }
    return undefined
  }
}

interface Walked {
  /** The deepest thing reached. */
  readonly last: Spot
  /** How many parts of the path were found. */
  readonly depth: number
}

function walked(start: Spot, path: readonly PropertyKey[], steps: { left: number }): Walked {
  steps.left -= 1
  const [part, ...rest] = path
  const spot = resolved(start, steps)
  const nothing: Walked = { last: start, depth: 0 }
  if (part === undefined || spot === undefined || steps.left < 0) return nothing
  const within = spot.node.name === 'ArrayExpression' ? element(spot, Number(part)) : property(spot, String(part), rest)
  if (within === undefined) return nothing
  if ('depth' in within) return within
  const deeper = walked(within.value, rest, steps)
  return deeper.depth > 0 ? { ...deeper, depth: deeper.depth + 1 } : { last: within.at, depth: 1 }

  /** A property by its name; else what a spread brings in, the last of them first, for it wins. */
  function property({ module, node }: Spot, name: string, tail: readonly PropertyKey[]): Found | Walked | undefined {
    if (node.name !== 'ObjectExpression') return undefined
    for (const one of node.getChildren('Property').reverse()) {
      if (one.firstChild?.name === 'Spread') {
        const from = one.lastChild && walked({ module, node: one.lastChild }, [name, ...tail], steps)
        if (from && from.depth > 0) return from
      } else if (nameOf(module, one) === name) return found(module, one)
    }
    return undefined
  }
}

function propertyOf({ module, node }: Spot, name: string): Found | undefined {
  const property = node.getChildren('Property').findLast((one) => nameOf(module, one) === name)
  return property && found(module, property)
}

function found(module: ScriptModule, property: SyntaxNode): Found | undefined {
  const value = property.lastChild
  return value ? { at: { module, node: property }, value: { module, node: value } } : undefined
}

/** Where a value is stated, and the value. */
interface Found {
  readonly at: Spot
  readonly value: Spot
}

function element({ module, node }: Spot, index: number): Found | undefined {
  const elements: SyntaxNode[] = []
  for (let child = node.firstChild; child; child = child.nextSibling) {
    // What is spread there counts unknown many.
    if (child.name === 'Spread') return undefined
    if (!['[', ']', ',', 'LineComment', 'BlockComment'].includes(child.name)) elements.push(child)
  }
  const found = elements[index]
  return found && { at: { module, node: found }, value: { module, node: found } }
}

function nameOf(module: ScriptModule, property: SyntaxNode): string | undefined {
  const first = property.firstChild
  const key = first?.name === '[' ? first.nextSibling : first
  if (!key) return undefined
  const text = module.textOf(key)
  return key.name === 'String' ? textOfString(text) : text
}

function textOfString(literal: string): string {
  return literal.slice(1, -1).replace(/\\(.)/g, '$1')
}

/** The object or array behind names, parentheses, `as const` and a call such as defineConfig(…). */
function resolved({ module, node }: Spot, steps: { left: number }): Spot | undefined {
  steps.left -= 1
  if (steps.left < 0) return undefined
  const again = (inner: SyntaxNode | null | undefined) => (inner ? resolved({ module, node: inner }, steps) : undefined)
  switch (node.name) {
    case 'ObjectExpression':
    case 'ArrayExpression':
      return { module, node }
    case 'ParenthesizedExpression':
      return again(node.firstChild?.nextSibling)
    case 'BinaryExpression':
      return again(node.getChild('as') || node.getChild('satisfies') ? node.firstChild : undefined)
    case 'CallExpression':
      return again(node.getChild('ArgList')?.firstChild?.nextSibling)
    case 'MemberExpression': {
      const name = node.getChild('PropertyName')
      const owner = name && again(node.firstChild)
      const member = owner && name && propertyOf(owner, module.textOf(name))
      return member ? resolved(member.value, steps) : undefined
    }
    case 'VariableName':
    case 'PropertyDefinition': {
      const named = module.named(module.textOf(node))
      return named && resolved(named, steps)
    }
    default:
      return undefined
  }
}
