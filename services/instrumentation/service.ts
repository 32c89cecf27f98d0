import { pino } from 'pino'
import { MusterError } from '../../lib/errors.ts'
import { startFaultPort } from './fault-port.ts'
import { type FaultName, Faults } from './faults.ts'
import { Logs } from './logs.ts'
import { type KnownRoute, Metrics } from './metrics.ts'
import type { CommonSettings } from './settings.ts'
import { startTelemetry, type Telemetry } from './telemetry.ts'

/** What every part of a service is given. */
export interface Service {
  readonly name: string
  readonly telemetry: Telemetry
  readonly logs: Logs
  readonly metrics: Metrics
  readonly faults: Faults
}

/** A service as it was put together: how to open and to close it. */
export interface Running {
  /** Starts to listen; the answer's fields, the port among them, become part of the ready line. */
  listen(): Promise<{ readonly port: number } & Readonly<Record<string, number>>>
  /** Takes no more work and finishes what it has. */
  close(): Promise<void>
}

interface Definition<Settings extends CommonSettings> {
  readonly name: string
  readonly settings: () => Settings
  readonly faults: readonly FaultName[]
  readonly routes: readonly KnownRoute[]
  readonly build: (service: Service, settings: Settings) => Running
}

/** From SIGTERM to the end of the process at the latest, in ms. */
const stopWithin = 4500

/** Runs a service until SIGTERM or SIGINT, then closes it, flushes its telemetry and exits 0. */
export async function runService<Settings extends CommonSettings>(definition: Definition<Settings>): Promise<void> {
  try {
    await start(definition)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`${definition.name}: ${message}\n`)
    process.exit(error instanceof MusterError ? error.exitCode : 1)
  }
}

async function start<Settings extends CommonSettings>(definition: Definition<Settings>): Promise<void> {
  const settings = definition.settings()
  const name = settings.SERVICE_NAME ?? definition.name
  const faults = new Faults(definition.faults)
  const telemetry = startTelemetry({
    service: name,
    instance: settings.INSTANCE ?? `${name}-${process.pid}`,
    otlpUrl: settings.OTLP_URL,
    zipkinUrl: settings.ZIPKIN_URL,
    sampleRatio: settings.SAMPLE_RATIO,
    faults,
  })
  const out = pino.destination({ fd: 1, sync: false })
  // A reader of our log who leaves must not take the service with it.
  out.on('error', () => undefined)
  const logs = new Logs(name, out, telemetry.logger, faults)
  const metrics = new Metrics(definition.routes, telemetry, faults)
  const running = definition.build({ name, telemetry, logs, metrics, faults }, settings)
  const faultPort = settings.FAULT_PORT === undefined ? undefined : await startFaultPort(faults, settings.FAULT_PORT)
  const addresses = await running.listen()

  let stopping = false
  const stop = async (reason: string, exitCode: number) => {
    if (stopping) process.exit(exitCode || 1)
    stopping = true
    setTimeout(() => {
      process.stderr.write(`${name}: not everything could be finished and flushed within ${stopWithin} ms\n`)
      process.exit(exitCode)
    }, stopWithin)
    try {
      logs.write('info', 'process', `stopping: ${reason}`)
      metrics.stop()
      await Promise.allSettled([running.close(), faultPort?.close()])
      logs.write('info', 'process', 'stopped')
      await telemetry.stop()
      await new Promise((resolve) => out.flush(resolve))
    } finally {
      process.exit(exitCode)
    }
  }
  process.on('SIGTERM', () => void stop('SIGTERM', 0))
  process.on('SIGINT', () => void stop('SIGINT', 0))
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      process.stderr.write(`${name}: ${error instanceof Error ? error.stack : String(error)}\n`)
      void stop(event, 1)
    })
  }
  const ready = {
    ready: true,
    service: name,
    ...addresses,
    ...(faultPort && { faultPort: faultPort.port }),
    pid: process.pid,
  }
  out.write(`${JSON.stringify(ready)}\n`)
  logs.write('info', 'process', 'started', { port: addresses.port })
}
