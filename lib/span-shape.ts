import type { SpanKind } from './span.ts'

/** A promised span and what must be below it; declared once, beside the step. */
export interface SpanShape {
  /** Absent: that of the span above. */
  readonly service?: string
  readonly kind: SpanKind
  readonly operation: string
  readonly children: readonly SpanShape[]
}

type Declare = (operation: string, ...children: readonly SpanShape[]) => SpanShape
type DeclareEntry = (service: string, operation: string, ...children: readonly SpanShape[]) => SpanShape

const inside =
  (kind: SpanKind): Declare =>
  (operation, ...children) => ({ kind, operation, children })

const entry =
  (kind: SpanKind): DeclareEntry =>
  (service, operation, ...children) => ({ service, kind, operation, children })

/** A request as the service sees it that receives it. */
export const server = entry('server')
/** Work taken from a queue; connected by a parent or by a link. */
export const consumer = entry('consumer')
export const client = inside('client')
export const producer = inside('producer')
export const internal = inside('internal')

/** A span's place: what it is, below what its parent is. */
export function pathOf(above: string, service: string, kind: SpanKind, operation: string): string {
  return `${above} › ${service} ${kind} "${operation}"`
}

/** The last part of a path, and the one above it: enough for a reader to find the place. */
export function placeInWords(path: string): string {
  const [last = '', above] = path.split(' › ').slice(1).reverse()
  return above === undefined ? last : `${last} below ${above}`
}

/** How names and kinds come back from a source that does not keep them exactly. */
export interface Reading {
  readonly exactNames: boolean
  readonly kinds: ReadonlySet<SpanKind>
  /** The name in traces of a service that the journey names. */
  readonly nameOf: (service: string) => string
}

/** How often each path must be in a trace of this shape. */
export function pathsOf(shape: SpanShape, reading: Reading): Map<string, number> {
  const paths = new Map<string, number>()
  const name = (text: string) => (reading.exactNames ? text : text.toLowerCase())
  const visit = ({ service: own, kind, operation, children }: SpanShape, above: string, inherited: string) => {
    const service = own ?? inherited
    const path = pathOf(
      above,
      name(reading.nameOf(service)),
      reading.kinds.has(kind) ? kind : 'internal',
      name(operation),
    )
    paths.set(path, (paths.get(path) ?? 0) + 1)
    for (const child of children) visit(child, path, service)
  }
  visit(shape, '', '')
  return paths
}

/** How many spans a shape has. */
export function sizeOf({ children }: SpanShape): number {
  return children.reduce((sum, child) => sum + sizeOf(child), 1)
}
