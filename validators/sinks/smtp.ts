import type { AddressInfo, Server } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { Certificate } from './certificate.ts'

/** The sink's only account: another name or password is refused, so that a mail with AUTH proves it. */
export const smtpAccount = { username: 'muster', password: 'muster' } as const

/** AUTH methods that Alertmanager knows; it takes the first announced one for which it has a secret. */
const authMethods = ['CRAM-MD5', 'PLAIN', 'LOGIN'] as const
export type AuthMethod = (typeof authMethods)[number]

export interface Mail {
  /** Epoch milliseconds at which it had arrived whole. */
  readonly at: number
  readonly raw: Buffer
  /** The envelope's recipients. */
  readonly recipients: readonly string[]
  readonly tls: boolean
  /** The method by which the sender identified itself. */
  readonly auth: string | undefined
}

/** What the server says to the end of a mail; `nothing` leaves the client waiting. */
export type Reply = { readonly code: number; readonly text: string } | 'nothing'

export interface SmtpOptions {
  /** 0 takes a free port. */
  readonly port: number
  readonly certificate: Certificate
  /** TLS from the first byte; otherwise the client may ask for it by STARTTLS. */
  readonly implicitTls?: boolean
  /** Default: all three. */
  readonly authMethods?: readonly AuthMethod[] | undefined
  readonly take: (mail: Mail) => Promise<Reply>
}

/** An SMTP server on loopback that hands over each mail; AUTH is allowed also without TLS, and may be left out. */
export class SmtpListener {
  readonly #server: SMTPServer
  readonly port: number

  private constructor(server: SMTPServer, port: number) {
    this.#server = server
    this.port = port
  }

  /** @throws the system's error (EADDRINUSE) if the port is taken */
  static async open(options: SmtpOptions): Promise<SmtpListener> {
    const server = new SMTPServer({
      ...options.certificate,
      secure: options.implicitTls ?? false,
      authMethods: [...(options.authMethods ?? authMethods)],
      authOptional: true,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      // A client that is left waiting must give up by itself.
      socketTimeout: 600_000,
      closeTimeout: 1,
      onAuth: (auth, _session, callback) => {
        const { username, password } = smtpAccount
        const fits = auth.method === 'CRAM-MD5' ? auth.validatePassword(password) : auth.password === password
        if (auth.username === username && fits) callback(null, { user: auth.method })
        else callback(new Error('Authentication credentials invalid'))
      },
      onData: (stream, session, callback) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('error', callback)
        stream.on('end', async () => {
          const recipients = session.envelope.rcptTo.map(({ address }) => address)
          const auth = typeof session.user === 'string' ? session.user : undefined
          const mail = { at: Date.now(), raw: Buffer.concat(chunks), recipients, tls: session.secure, auth }
          try {
            const reply = await options.take(mail)
            if (reply === 'nothing') return
            if (reply.code < 300) callback(null, reply.text)
            else callback(Object.assign(new Error(reply.text), { responseCode: reply.code }))
          } catch (error) {
            callback(Object.assign(new Error('the sink could not read it', { cause: error }), { responseCode: 554 }))
          }
        })
      },
    })
    const net = await new Promise<Server>((resolve, reject) => {
      server.once('error', reject)
      const listening = server.listen(options.port, '127.0.0.1', () => {
        server.off('error', reject)
        resolve(listening)
      })
    })
    // Clients that hang up or refuse the certificate are no affair of the sink's.
    server.on('error', () => {})
    return new SmtpListener(server, (net.address() as AddressInfo).port)
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
