import { createHmac } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { createInterface, type Interface } from 'node:readline'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { type SinkPorts, Sinks } from './sinks.ts'
import { smtpAccount } from './smtp.ts'

const open: Sinks[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(open.splice(0).map((sinks) => sinks.close()))
})

async function opened(ports: SinkPorts = {}): Promise<Sinks> {
  const sinks = await Sinks.open(ports)
  open.push(sinks)
  return sinks
}

/** Speaks SMTP line by line. */
class Client {
  #socket: Socket
  #lines: Interface
  #iterator: AsyncIterator<string>

  constructor(socket: Socket) {
    sockets.push(socket)
    socket.on('error', () => {})
    this.#socket = socket
    this.#lines = createInterface({ input: socket })
    this.#iterator = this.#lines[Symbol.asyncIterator]()
  }

  /** Sends a line; gives the last line of the reply. */
  async say(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`)
    return this.reply()
  }

  async reply(): Promise<string> {
    for (;;) {
      const { value, done } = await this.#iterator.next()
      if (done) throw new Error('the server hung up')
      if (/^\d{3} ?/.test(value) && value[3] !== '-') return value
    }
  }

  /** Verifies the certificate against `ca`. */
  async startTls(ca: string): Promise<Client> {
    expect(await this.say('STARTTLS')).toMatch(/^220/)
    this.#lines.close()
    this.#socket.removeAllListeners('data')
    return secured(connectTls({ socket: this.#socket, ca, servername: 'localhost' }))
  }
}

function secured(socket: ReturnType<typeof connectTls>): Promise<Client> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('secureConnect', () => resolve(new Client(socket)))
  })
}

async function greeted({ smtpPort }: Sinks): Promise<Client> {
  const client = new Client(connect(smtpPort, '127.0.0.1'))
  expect(await client.reply()).toMatch(/^220/)
  expect(await client.say('EHLO localhost')).toMatch(/^250/)
  return client
}

async function mailed(client: Client, mail: string, recipient = 'oncall@muster.example'): Promise<string> {
  expect(await client.say('MAIL FROM:<a@muster.example>')).toMatch(/^250/)
  expect(await client.say(`RCPT TO:<${recipient}>`)).toMatch(/^250/)
  expect(await client.say('DATA')).toMatch(/^354/)
  return client.say(`${mail.replaceAll('\n', '\r\n')}\r\n.`)
}

const head = `From: Alertmanager <a@muster.example>
To: oncall@muster.example
Date: Sat, 21 Nov 2026 12:03:51 +0000
Message-Id: <1@vm>
Subject: =?utf-8?q?[FIRING:1]_Down_=E2=80=93_now?=
MIME-Version: 1.0
`
const mail = `${head}Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

Runbook: https://r/x?a=3D1
--b
Content-Type: text/html; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

<p>a &gt; b <a href=3D"https://d/x">Dashboard</a></p>
--b--
`

const base64 = (text: string) => Buffer.from(text).toString('base64')
const { username, password } = smtpAccount

describe('a mail', () => {
  it('comes over STARTTLS, whose certificate can be verified, and is read whole and decoded', async () => {
    const sinks = await opened()
    const client = await (await greeted(sinks)).startTls(sinks.certificate)
    expect(await client.say('EHLO localhost')).toMatch(/^250/)
    expect(await client.say(`AUTH PLAIN ${base64(`\0${username}\0${password}`)}`)).toMatch(/^235/)
    expect(await mailed(client, mail)).toMatch(/^250/)
    expect(sinks.notifications()).toMatchObject([
      {
        kind: 'email',
        type: 'email',
        receiver: 'oncall',
        status: 'firing',
        answered: '250',
        problems: [],
        transport: { tls: true, auth: 'PLAIN' },
        text: '[FIRING:1] Down – now\nRunbook: https://r/x?a=1\na > b https://d/x Dashboard',
      },
    ])
  })

  it('comes over TLS from the first byte', async () => {
    const sinks = await opened()
    const [host = '', port] = sinks.smtps.split(':')
    const client = await secured(connectTls({ host, port: Number(port), ca: sinks.certificate }))
    expect(await client.reply()).toMatch(/^220/)
    expect(await client.say('EHLO localhost')).toMatch(/^250/)
    expect(await mailed(client, mail)).toMatch(/^250/)
    expect(sinks.notifications()).toMatchObject([{ transport: { tls: true, auth: undefined } }])
  })

  it('names its receiver, status and group by header', async () => {
    const sinks = await opened()
    const headers = 'X-Muster-Receiver: team a\nX-Muster-Status: resolved\nX-Muster-Group-Key: k\n'
    await mailed(await greeted(sinks), `${headers}${mail}`)
    expect(sinks.notifications()).toMatchObject([
      { receiver: 'team a', status: 'resolved', groupKey: 'k', transport: { tls: false, auth: undefined } },
    ])
  })

  it.each([
    ['no sender', mail.replace(/^From:.*\n/, ''), 'From:'],
    ['no date', mail.replace(/\nDate:.*/, ''), 'Date:'],
    ['no id', mail.replace(/\nMessage-Id:.*/, ''), 'Message-Id:'],
    ['an empty subject', mail.replace(/\nSubject:.*/, '\nSubject: '), 'Subject:'],
    ['nothing to read', `${head}Content-Type: text/html\n\n<p> </p>\n`, 'no part holds text'],
  ])('with %s is named', async (_, text, problem) => {
    const sinks = await opened()
    await mailed(await greeted(sinks), text)
    expect(sinks.notifications()[0]?.problems).toEqual([expect.stringContaining(problem)])
  })
})

describe('AUTH', () => {
  it('takes LOGIN', async () => {
    const client = await greeted(await opened())
    expect(await client.say('AUTH LOGIN')).toMatch(/^334/)
    expect(await client.say(base64(username))).toMatch(/^334/)
    expect(await client.say(base64(password))).toMatch(/^235/)
  })

  it.each([
    [password, /^235/],
    ['other', /^535/],
  ])('takes CRAM-MD5 with %s: %s', async (secret, reply) => {
    const client = await greeted(await opened())
    const [, challenge = ''] = (await client.say('AUTH CRAM-MD5')).split(' ')
    const digest = createHmac('md5', secret).update(Buffer.from(challenge, 'base64')).digest('hex')
    expect(await client.say(base64(`${username} ${digest}`))).toMatch(reply)
  })

  it.each([
    [username, 'other'],
    ['other', password],
  ])('refuses %s with %s', async (name, secret) => {
    const client = await greeted(await opened())
    expect(await client.say(`AUTH PLAIN ${base64(`\0${name}\0${secret}`)}`)).toMatch(/^535/)
  })

  it('announces what it was told to', async () => {
    const client = await greeted(await opened({ authMethods: ['LOGIN'] }))
    expect(await client.say('AUTH CRAM-MD5')).toMatch(/^50[04]/)
  })
})

describe('a mail sink that was told to', () => {
  it('fail gives that reply', async () => {
    const sinks = await opened()
    sinks.behave({ type: 'email' }, { kind: 'fail', status: 554 })
    expect(await mailed(await greeted(sinks), mail)).toMatch(/^554/)
    expect(sinks.notifications()).toMatchObject([{ answered: '554' }])
  })

  it('limit the rate says 451, and takes it later', async () => {
    const sinks = await opened()
    sinks.behave({ receiver: 'oncall' }, { kind: 'rate-limit', retryAfterS: 0.1 })
    const client = await greeted(sinks)
    expect(await mailed(client, mail)).toMatch(/^451/)
    await expect.poll(() => mailed(client, mail)).toMatch(/^250/)
  })

  it('hang replies nothing until it is closed', async () => {
    const sinks = await opened()
    sinks.behave({ type: 'email' }, { kind: 'hang' })
    const reply = mailed(await greeted(sinks), mail)
    const ended = expect(reply).resolves.toBe('421 Server shutting down')
    await expect.poll(() => sinks.notifications()).toMatchObject([{ answered: 'nothing' }])
    await sinks.close()
    open.length = 0
    await ended
  })
})
