import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export interface Certificate {
  /** PEM. */
  readonly key: string
  /** PEM; signed by itself, so a client that trusts it as authority can verify it. */
  readonly cert: string
}

const oid = {
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  commonName: [0x55, 0x04, 0x03],
  subjectAltName: [0x55, 0x1d, 0x11],
  basicConstraints: [0x55, 0x1d, 0x13],
}
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
}
const dayMs = 86_400_000

/**
 * A fresh certificate for localhost and 127.0.0.1, valid for 30 days, made here (X.509 version 3, RFC 5280) because Node
 * makes keys and no certificates, and a private key in the repository would be everybody's.
 */
export function selfSigned(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(tag.sequence, der(tag.oid, oid.ecdsaWithSha256))
  const name = der(
    tag.sequence,
    der(tag.set, der(tag.sequence, der(tag.oid, oid.commonName), der(tag.utf8, Buffer.from('muster sink')))),
  )
  const validity = der(tag.sequence, utcTime(Date.now() - dayMs), utcTime(Date.now() + 30 * dayMs))
  // A positive serial number: its first bit is 0.
  const serial = der(tag.integer, Buffer.concat([Buffer.from([1]), randomBytes(15)]))
  const altNames = der(tag.sequence, der(0x82, Buffer.from('localhost')), der(0x87, [127, 0, 0, 1]))
  const extensions = der(
    tag.sequence,
    der(tag.sequence, der(tag.oid, oid.subjectAltName), der(tag.octetString, altNames)),
    der(
      tag.sequence,
      der(tag.oid, oid.basicConstraints),
      der(tag.boolean, [0xff]),
      der(tag.octetString, der(tag.sequence, der(tag.boolean, [0xff]))),
    ),
  )
  const body = der(
    tag.sequence,
    der(0xa0, der(tag.integer, [2])),
    serial,
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  )
  const signature = der(tag.bitString, [0], sign('sha256', body, privateKey))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem(der(tag.sequence, body, algorithm, signature)),
  }
}

/** Tag, length, value. */
function der(type: number, ...parts: readonly (Buffer | readonly number[])[]): Buffer {
  const value = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const { length } = value
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([type, ...size]), value])
}

/** YYMMDDhhmmssZ. */
function utcTime(at: number): Buffer {
  return der(
    tag.utcTime,
    Buffer.from(
      `${new Date(at)
        .toISOString()
        .replaceAll(/[-:T]|\.\d+Z/g, '')
        .slice(2)}Z`,
    ),
  )
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
