import { readFileSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LoneAlertmanager, LoneOptions } from '../lib/lone-alertmanager.ts'
import { freePorts } from './ports.ts'
import { answers } from './probe.ts'
import { PortTakenError, Supervisor } from './supervisor.ts'
import { startWatchdog, type Watchdog } from './watchdog-client.ts'

const readyWithinMs = 15_000
const attempts = 3

/** Starts Alertmanagers that end with this process, each in a folder of its own. */
export class LoneAlertmanagers {
  readonly #binary: string
  readonly #watchdog: Watchdog
  readonly #running = new Set<LoneAlertmanager>()

  private constructor(binary: string, watchdog: Watchdog) {
    this.#binary = binary
    this.#watchdog = watchdog
  }

  /** @param binary the program, of `obtain` */
  static open(binary: string): LoneAlertmanagers {
    return new LoneAlertmanagers(binary, startWatchdog())
  }

  /** Resolves when it is ready. Throws EnvironmentError, with the end of its log, if it is not; what it began is gone then. */
  async start(options: LoneOptions): Promise<LoneAlertmanager> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#startOnce(options)
      } catch (error) {
        if (!(error instanceof PortTakenError) || attempt === attempts) throw error
      }
    }
  }

  /** Stops all that still run, and sends the watchdog away. */
  async close(): Promise<void> {
    await Promise.all([...this.#running].map((one) => one.stop()))
    await this.#watchdog.bye()
  }

  async #startOnce({ name, config, env, signal }: LoneOptions): Promise<LoneAlertmanager> {
    signal.throwIfAborted()
    const folder = await mkdtemp(join(tmpdir(), 'muster-routes-'))
    this.#watchdog.folder(folder)
    const supervisor = new Supervisor({ logs: folder, onStart: ({ pid }) => this.#watchdog.add(pid, 'process') })
    const stop = async () => {
      await supervisor.stop()
      await rm(folder, { recursive: true, force: true })
    }
    try {
      const [home, file] = [join(folder, 'home'), join(folder, 'alertmanager.yml')]
      await Promise.all([mkdir(home), writeFile(file, config, { mode: 0o600 })])
      const [port] = await freePorts(1)
      const { pid } = supervisor.start({
        name,
        file: this.#binary,
        args: [
          `--config.file=${file}`,
          `--storage.path=${join(folder, 'data')}`,
          `--web.listen-address=127.0.0.1:${port}`,
          // Links in notifications would else hold the machine's name and the port of the day.
          '--web.external-url=http://alertmanager.invalid/',
          // Empty: one process, no cluster, and no peer to wait for.
          '--cluster.listen-address=',
          '--log.format=json',
          '--log.level=info',
        ],
        env: { ...env, HOME: home },
      })
      const url = `http://127.0.0.1:${port}`
      await supervisor.ready(name, () => answers(`${url}/-/ready`), { withinMs: readyWithinMs, signal })
      let log = ''
      const path = join(folder, `${name}.log`)
      const read = () => {
        try {
          // Asked often, and it grows seldom.
          if (statSync(path).size !== Buffer.byteLength(log)) log = readFileSync(path, 'utf8')
        } catch {
          // Its folder is gone: what was read last stands.
        }
        return log
      }
      const one: LoneAlertmanager = {
        url,
        pid,
        log: read,
        exited: () => {
          const exit = supervisor.exited(name)
          return exit && `it ended by itself (${exit.signal ?? `code ${exit.code}`})`
        },
        stop: async () => {
          read()
          this.#running.delete(one)
          await stop()
        },
      }
      this.#running.add(one)
      return one
    } catch (error) {
      await stop()
      throw error
    }
  }
}
