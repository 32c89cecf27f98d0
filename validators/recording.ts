import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../lib/errors.ts'
import type { BackendEndpoints } from './config.ts'

const window = z.object({ from: z.number(), to: z.number() })
const metric = z.object({
  type: z.enum(['counter', 'gauge', 'rate', 'trend']),
  values: z.record(z.string(), z.number()),
})

const observed = z.object({
  sightings: z.array(
    z.object({
      traceId: z.string(),
      service: z.string(),
      afterMs: z.number().exactOptional(),
      resolutionMs: z.number(),
    }),
  ),
  looks: z.number(),
  error: z.string().exactOptional(),
})

const schema = z.object({
  version: z.literal(1),
  runId: z.number().int(),
  configFile: z.string(),
  targetUrl: z.string(),
  backends: z.object({
    prometheus: z.string().optional(),
    loki: z.string().optional(),
    alertmanager: z.string().optional(),
    jaeger: z.string().optional(),
    jaegerGrpc: z.string().optional(),
    zipkin: z.string().optional(),
  }),
  scenarios: z.array(
    z.object({
      file: z.string(),
      firstNumber: z.number(),
      rate: z.number().optional(),
      durationMs: z.number().optional(),
      thresholds: z.record(z.string(), z.array(z.string())),
      window,
      edges: z.record(z.string(), z.number()),
      /** When its checks had ended. */
      judgedAt: z.number(),
      load: z.object({ exitCode: z.number().optional(), exitMeaning: z.string(), words: z.array(z.string()) }),
      summary: z
        .object({
          metrics: z.record(z.string(), metric),
          checks: z.array(z.object({ name: z.string(), passes: z.number(), fails: z.number() })),
          testRunDurationMs: z.number(),
        })
        .optional(),
      oddLines: z.array(
        z.object({ journey: z.string(), iteration: z.number(), path: z.array(z.number()), why: z.string() }),
      ),
      sentinel: z
        .object({
          file: z.string(),
          requests: z.array(
            z.object({
              step: z.string(),
              repetition: z.number(),
              iteration: z.number(),
              status: z.number(),
              answeredAt: z.number(),
            }),
          ),
          observed: z.object({ logs: observed, traces: observed }),
        })
        .optional(),
    }),
  ),
})

/** What `muster check` needs to judge a run again: what was driven, when, and what k6 said. No secrets. */
export type Recording = z.infer<typeof schema>

/** Where the backends of a run are, without credentials. */
export type BackendUrls = Recording['backends']

export function urlsOf({ prometheus, loki, alertmanager, jaeger, zipkin }: BackendEndpoints): BackendUrls {
  return {
    prometheus: prometheus?.url,
    loki: loki?.url,
    alertmanager: alertmanager?.url,
    jaeger: jaeger?.url,
    jaegerGrpc: jaeger?.grpc,
    zipkin: zipkin?.url,
  }
}

const name = 'recording.json'

export async function writeRecording(folder: string, recording: Recording): Promise<void> {
  await writeFile(join(folder, name), `${JSON.stringify(recording, undefined, 1)}\n`)
}

/** @throws UsageError if the folder holds no recording */
export async function readRecording(folder: string): Promise<Recording> {
  const text = await readFile(join(folder, name), 'utf8').catch(() => undefined)
  if (text === undefined)
    throw new UsageError(`${folder} holds no ${name}: name the folder of a run, such as reports/out/latest.`)
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    throw new UsageError(`${join(folder, name)} is no recording of this version of muster: run the scenarios again.`)
  }
}
