import protobuf from 'protobufjs/minimal.js'
import { expect, it } from 'vitest'
import { decodeSpans } from './otlp-spans.ts'

type Field = readonly [number: number, value: string | number | bigint | Uint8Array | readonly Field[]]

/** A protobuf message: texts, bytes and messages by length, numbers as varints, bigints as fixed64. */
function message(...fields: readonly Field[]): Uint8Array {
  const writer = protobuf.Writer.create()
  for (const [number, value] of fields) {
    if (typeof value === 'number') writer.uint32(number << 3).int64(value)
    else if (typeof value === 'bigint') {
      writer.uint32((number << 3) | 1)
      writer.fixed32(Number(value & 0xffffffffn)).fixed32(Number(value >> 32n))
    } else {
      writer.uint32((number << 3) | 2)
      if (typeof value === 'string') writer.string(value)
      else writer.bytes(value instanceof Uint8Array ? value : message(...value))
    }
  }
  return writer.finish()
}

const hex = (text: string) => Buffer.from(text, 'hex')
const [trace, other] = ['0af7651916cd43dd8448eb211c80319c', 'ffffffffffffffffffffffffffffffff']
const attribute = (key: string, value: readonly Field[]): Field => [
  9,
  [
    [1, key],
    [2, value],
  ],
]
const resource = (service: string): Field => [
  1,
  [
    [
      1,
      [
        [1, 'host'],
        [2, [[1, 'me']]],
      ],
    ],
    [
      1,
      [
        [1, 'service.name'],
        [2, [[1, service]]],
      ],
    ],
  ],
]

const full: Field = [
  2,
  [
    [1, hex(trace)],
    [2, hex('00f067aa0ba902b7')],
    // The trace state and others that are of no interest.
    [3, 'a=b'],
    [4, hex('00f067aa0ba90200')],
    [5, 'GET /todos'],
    [6, 2],
    [7, 1_795_249_209_315_123_000n],
    [8, 1_795_249_209_327_468_000n],
    attribute('text', [[1, 'größer']]),
    attribute('yes', [[2, 1]]),
    attribute('whole', [[3, -42]]),
    attribute('bytes', [[7, hex('0102')]]),
    attribute('list', [
      [
        5,
        [
          [1, [[1, 'a']]],
          [1, [[3, 2]]],
        ],
      ],
    ]),
    attribute('map', [
      [
        6,
        [
          [
            1,
            [
              [1, 'k'],
              [2, [[1, 'v']]],
            ],
          ],
        ],
      ],
    ]),
    attribute('nothing', []),
    [11, [[2, 'event']]],
    [
      13,
      [
        [1, hex(trace)],
        [2, hex('00f067aa0ba90211')],
      ],
    ],
    [
      13,
      [
        [1, hex(other)],
        [2, hex('00f067aa0ba90222')],
      ],
    ],
    [
      15,
      [
        [2, 'no'],
        [3, 2],
      ],
    ],
  ],
]

it('reads every field of a span, links into other traces left out', () => {
  const [span] = decodeSpans(Buffer.from(message([1, [resource('gateway'), [2, [[1, [[1, 'scope']]], full]]]])))
  expect(span).toMatchObject({
    traceId: trace,
    spanId: '00f067aa0ba902b7',
    parents: ['00f067aa0ba90200', '00f067aa0ba90211'],
    service: 'gateway',
    operation: 'GET /todos',
    kind: 'server',
    durationMs: 12.345,
    error: true,
  })
  expect(Math.round((span?.startedAt ?? 0) * 1000)).toBe(1_795_249_209_315_123)
  expect(span?.attributes).toEqual({
    text: 'größer',
    yes: 'true',
    whole: '-42',
    bytes: 'AQI=',
    list: '["a","2"]',
    map: '{"k":"v"}',
    nothing: '',
  })
})

it('knows the service of each resource, also one that stands behind its spans', () => {
  const bare: Field = [2, [[2, [[1, hex(trace)]]]]]
  const spans = decodeSpans(Buffer.from(message([1, [bare, resource('todos')]], [1, [resource('webhooks'), bare]])))
  expect(spans.map(({ service, parents, kind, attributes }) => ({ service, parents, kind, attributes }))).toEqual([
    { service: 'todos', parents: [], kind: 'internal', attributes: {} },
    { service: 'webhooks', parents: [], kind: 'internal', attributes: {} },
  ])
})

it('finds nothing in nothing, and refuses what was cut off', () => {
  expect(decodeSpans(Buffer.alloc(0))).toEqual([])
  const whole = Buffer.from(message([1, [resource('gateway'), [2, [full]]]]))
  for (const length of [1, 5, whole.length >> 1, whole.length - 1])
    expect(() => decodeSpans(whole.subarray(0, length))).toThrow()
})
