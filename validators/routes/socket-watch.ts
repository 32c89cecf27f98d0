import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A look costs some milliseconds, more where many connections have just ended. */
const usualPeriodMs = 500
/** Whether sockets can be seen here at all. */
export const socketsAreSeen = process.platform === 'linux'

/** Looks again and again which TCP and UDP sockets some processes have (Linux: /proc); elsewhere it sees nothing. */
export class SocketWatch {
  readonly #pids = new Set<number>()
  readonly #found = new Set<string>()
  readonly #timer: NodeJS.Timeout

  constructor(periodMs = usualPeriodMs) {
    this.#timer = setInterval(() => this.#look(), periodMs)
    this.#timer.unref()
  }

  /** Addresses that are not loopback, as the kernel writes them: `tcp 0101A8C0:01BB`. */
  get found(): readonly string[] {
    return [...this.#found]
  }

  /** @returns what takes a last look, and watches this process no longer */
  watch(pid: number): () => void {
    this.#pids.add(pid)
    return () => {
      this.#look()
      this.#pids.delete(pid)
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const own = new Set([...this.#pids].flatMap(socketInodes))
    const [pid] = this.#pids
    if (own.size === 0 || pid === undefined) return
    // They share a network: the tables of one are those of all.
    for (const table of ['tcp', 'tcp6', 'udp', 'udp6']) {
      for (const address of foreignAddresses(read(`/proc/${pid}/net/${table}`), own))
        this.#found.add(`${table} ${address}`)
    }
  }
}

/** The addresses that are not loopback of those lines of a table whose sockets are among `inodes`. */
function foreignAddresses(table: string, inodes: ReadonlySet<string>): string[] {
  const [, ...lines] = table.split('\n')
  return lines.flatMap((line) => {
    const [, local = '', remote = '', , , , , , , inode = ''] = line.trim().split(/\s+/, 10)
    // A listener's remote end is unset, as is that of a UDP socket without peer.
    return inodes.has(inode) ? [local, remote].filter((address) => address !== '' && !isLocal(address)) : []
  })
}

/** Loopback or unspecified, in the kernel's hexadecimal of little-endian words. */
function isLocal(address: string): boolean {
  const host = address.split(':')[0] ?? ''
  if (/^0+$/.test(host)) return true
  if (host.length === 8) return host.endsWith('7F')
  return host === '00000000000000000000000001000000' || /^0{16}FFFF0000[\dA-F]{6}7F$/.test(host)
}

function socketInodes(pid: number): string[] {
  return entries(`/proc/${pid}/fd`).flatMap((descriptor) => {
    const inode = /^socket:\[(\d+)\]$/.exec(target(`/proc/${pid}/fd/${descriptor}`))?.[1]
    return inode === undefined ? [] : [inode]
  })
}

function entries(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function target(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
