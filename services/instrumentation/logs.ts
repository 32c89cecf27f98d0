import { ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api'
import { type Logger, SeverityNumber } from '@opentelemetry/api-logs'
import { type DestinationStream, type Logger as Pino, pino } from 'pino'
import type { Faults, levels } from './faults.ts'
import { fateOf } from './sabotaged-logs.ts'

export type Level = (typeof levels)[number]
const severities: Readonly<Record<Level, SeverityNumber>> = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
}

/** What ties a line to the request it was written for. */
export interface LogOrigin {
  readonly requestId: string
  readonly spanContext: SpanContext
}

/** One line as it is to be written. */
export interface Line {
  readonly level: Level
  readonly logger: string
  readonly message: string
  readonly fields: object
  /** Its span context is absent only by sabotage. */
  readonly origin: (Partial<Pick<LogOrigin, 'spanContext'>> & Pick<LogOrigin, 'requestId'>) | undefined
}

const secrets = ['authorization', 'password', 'token']

/**
 * Writes JSON lines to a stream and the same lines, with their trace context, to OTLP.
 * Fields named authorization, password or token are replaced, also one level down.
 */
export class Logs {
  readonly #faults: Faults
  readonly #loggers = new Map<string, Pino>()
  readonly #root: Pino
  #level: Level = 'info'
  #spanContext: SpanContext | undefined
  /** Epoch ms; undefined: now, by the clock of each way out. */
  #at: number | undefined

  /** @param out where lines go, each with its line feed; @param otlp takes each line as a record's body */
  constructor(service: string, out: DestinationStream, otlp: Logger, faults: Faults) {
    this.#faults = faults
    // pino writes synchronously within the call, so that level, context and time of a line can be handed over in fields.
    const write = (line: string) => {
      out.write(line)
      otlp.emit({
        body: line.trimEnd(),
        severityNumber: severities[this.#level],
        severityText: this.#level,
        ...(this.#at !== undefined && { timestamp: this.#at }),
        context: this.#spanContext ? trace.setSpanContext(ROOT_CONTEXT, this.#spanContext) : ROOT_CONTEXT,
      })
    }
    this.#root = pino(
      {
        level: 'debug',
        base: { service },
        messageKey: 'message',
        timestamp: () => `,"timestamp":"${new Date(this.#at ?? Date.now()).toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
        redact: { paths: secrets.flatMap((name) => [name, `headers.${name}`, `body.${name}`]), censor: '[redacted]' },
      },
      { write },
    )
  }

  /**
   * Writes one line.
   * @param logger the part of the service that speaks
   * @param origin the request; absent for lines of the process itself
   */
  write(level: Level, logger: string, message: string, fields: object = {}, origin?: LogOrigin): void {
    if (this.#faults.none) {
      this.#put({ level, logger, message, fields, origin })
      return
    }
    const fate = fateOf(this.#faults, { level, logger, message, fields, origin })
    for (const { line, at, afterMs } of fate) {
      if (afterMs === 0) this.#put(line, at)
      else setTimeout(() => this.#put(line, at), afterMs).unref()
    }
  }

  #put({ level, logger, message, fields, origin }: Line, at?: number): void {
    this.#level = level
    this.#spanContext = origin?.spanContext
    this.#at = at
    this.#logger(logger)[level](
      {
        ...(origin && { request_id: origin.requestId }),
        ...(origin?.spanContext && { trace_id: origin.spanContext.traceId, span_id: origin.spanContext.spanId }),
        ...fields,
      },
      message,
    )
  }

  #logger(name: string): Pino {
    let logger = this.#loggers.get(name)
    if (logger === undefined) {
      logger = this.#root.child({ logger: name })
      this.#loggers.set(name, logger)
    }
    return logger
  }
}
