import protobuf from 'protobufjs/minimal.js'
import type { Span, SpanKind } from '../../lib/span.ts'

type Reader = protobuf.Reader

// Numbers of fields in opentelemetry/proto/trace/v1/trace.proto and common/v1/common.proto.
const tracesData = { resourceSpans: 1 } as const
const resourceSpans = { resource: 1, scopeSpans: 2 } as const
const resource = { attributes: 1 } as const
const scopeSpans = { spans: 2 } as const
const span = {
  traceId: 1,
  spanId: 2,
  parentSpanId: 4,
  name: 5,
  kind: 6,
  start: 7,
  end: 8,
  attributes: 9,
  links: 13,
  status: 15,
} as const
const link = { traceId: 1, spanId: 2 } as const
const status = { code: 3 } as const
const keyValue = { key: 1, value: 2 } as const
const anyValue = { string: 1, bool: 2, int: 3, double: 4, array: 5, map: 6, bytes: 7 } as const
const list = { values: 1 } as const

const kinds: readonly SpanKind[] = ['internal', 'internal', 'server', 'client', 'producer', 'consumer']
const statusError = 2
const fixed64Low = 2 ** 32

/**
 * The spans of one OTLP `TracesData` message, in its order. Attributes are decoded when they are first looked at: they
 * are most of the bytes, and most spans are judged without them. The spans keep `message` in memory.
 * @throws RangeError or Error if the bytes are no such message
 */
export function decodeSpans(message: Buffer): Span[] {
  const spans: Span[] = []
  const reader = protobuf.Reader.create(message)
  eachField(reader, reader.len, (field) => {
    if (field !== tracesData.resourceSpans) return false
    decodeResourceSpans(reader, message, spans)
    return true
  })
  return spans
}

/** Calls `take` at each field of a message that ends at `end`; what it does not take is skipped. */
function eachField(reader: Reader, end: number, take: (field: number) => boolean): void {
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (!take(tag >>> 3)) reader.skipType(tag & 7)
  }
}

/** Reads a length; where that many bytes end. */
function endOfNext(reader: Reader): number {
  const length = reader.uint32()
  return reader.pos + length
}

function decodeResourceSpans(reader: Reader, message: Buffer, into: Span[]): void {
  const first = into.length
  let service = ''
  const end = endOfNext(reader)
  eachField(reader, end, (field) => {
    if (field === resourceSpans.resource) {
      service = serviceOf(reader)
      return true
    }
    if (field !== resourceSpans.scopeSpans) return false
    eachField(reader, endOfNext(reader), (inner) => {
      if (inner !== scopeSpans.spans) return false
      into.push(new OtlpSpan(reader, message, service))
      return true
    })
    return true
  })
  // Fields may come in any order.
  for (let at = first; at < into.length; at += 1) (into[at] as OtlpSpan).service = service
}

function serviceOf(reader: Reader): string {
  let service = ''
  eachField(reader, endOfNext(reader), (field) => {
    if (field !== resource.attributes) return false
    const [key, value] = decodeAttribute(reader)
    if (key === 'service.name') service = value
    return true
  })
  return service
}

class OtlpSpan implements Span {
  traceId = ''
  spanId = ''
  parents: string[] = []
  service: string
  operation = ''
  kind: SpanKind = 'internal'
  startedAt = 0
  durationMs = 0
  error = false
  readonly #message: Buffer
  /** Where attributes begin in the message; the first two numbers of each are its place and length. */
  readonly #places: number[] = []
  #attributes: Readonly<Record<string, string>> | undefined

  constructor(reader: Reader, message: Buffer, service: string) {
    this.#message = message
    this.service = service
    let [startLow, startHigh, endLow, endHigh] = [0, 0, 0, 0]
    let links: [trace: string, span: string][] | undefined
    const end = endOfNext(reader)
    while (reader.pos < end) {
      const tag = reader.uint32()
      switch (tag >>> 3) {
        case span.traceId:
          this.traceId = hex(reader, message)
          break
        case span.spanId:
          this.spanId = hex(reader, message)
          break
        case span.parentSpanId: {
          const parent = hex(reader, message)
          if (parent !== '' && parent !== noSpan) this.parents.push(parent)
          break
        }
        case span.name:
          this.operation = reader.string()
          break
        case span.kind:
          this.kind = kinds[reader.int32()] ?? 'internal'
          break
        case span.start:
          startLow = reader.fixed32()
          startHigh = reader.fixed32()
          break
        case span.end:
          endLow = reader.fixed32()
          endHigh = reader.fixed32()
          break
        case span.attributes: {
          const length = reader.uint32()
          this.#places.push(reader.pos, length)
          reader.pos += length
          break
        }
        case span.links:
          links ??= []
          links.push(decodeLink(reader, message))
          break
        case span.status:
          eachField(reader, endOfNext(reader), (field) => {
            if (field !== status.code) return false
            this.error = reader.int32() === statusError
            return true
          })
          break
        default:
          reader.skipType(tag & 7)
      }
    }
    this.startedAt = (startHigh * fixed64Low + startLow) / 1e6
    this.durationMs = ((endHigh - startHigh) * fixed64Low + (endLow - startLow)) / 1e6
    for (const [trace, linked] of links ?? []) if (trace === this.traceId) this.parents.push(linked)
  }

  get attributes(): Readonly<Record<string, string>> {
    if (this.#attributes) return this.#attributes
    const attributes: Record<string, string> = {}
    for (let at = 0; at < this.#places.length; at += 2) {
      const from = this.#places[at] ?? 0
      const reader = protobuf.Reader.create(this.#message.subarray(from, from + (this.#places[at + 1] ?? 0)))
      const [key, value] = decodePair(reader, reader.len)
      attributes[key] = value
    }
    this.#attributes = attributes
    return attributes
  }
}

const noSpan = '0000000000000000'

function hex(reader: Reader, message: Buffer): string {
  const length = reader.uint32()
  const from = reader.pos
  reader.pos += length
  return message.toString('hex', from, reader.pos)
}

function decodeLink(reader: Reader, message: Buffer): [trace: string, span: string] {
  const found: [string, string] = ['', '']
  eachField(reader, endOfNext(reader), (field) => {
    if (field !== link.traceId && field !== link.spanId) return false
    found[field === link.traceId ? 0 : 1] = hex(reader, message)
    return true
  })
  return found
}

function decodeAttribute(reader: Reader): [key: string, value: string] {
  return decodePair(reader, endOfNext(reader))
}

function decodePair(reader: Reader, end: number): [key: string, value: string] {
  let [key, value] = ['', '']
  eachField(reader, end, (field) => {
    if (field === keyValue.key) key = reader.string()
    else if (field === keyValue.value) value = text(decodeValue(reader))
    else return false
    return true
  })
  return [key, value]
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function decodeValue(reader: Reader): unknown {
  let value: unknown = ''
  eachField(reader, endOfNext(reader), (field) => {
    if (field === anyValue.string) value = reader.string()
    else if (field === anyValue.bool) value = reader.bool()
    else if (field === anyValue.int) value = reader.int64().toString()
    else if (field === anyValue.double) value = reader.double()
    else if (field === anyValue.bytes) value = Buffer.from(reader.bytes()).toString('base64')
    else if (field === anyValue.array) {
      const values: unknown[] = []
      eachField(reader, endOfNext(reader), (inner) => {
        if (inner !== list.values) return false
        values.push(decodeValue(reader))
        return true
      })
      value = values
    } else if (field === anyValue.map) {
      const pairs: [string, string][] = []
      eachField(reader, endOfNext(reader), (inner) => {
        if (inner !== list.values) return false
        pairs.push(decodeAttribute(reader))
        return true
      })
      value = Object.fromEntries(pairs)
    } else return false
    return true
  })
  return value
}
