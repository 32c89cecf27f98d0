import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../lib/errors.ts'

const window = z.object({ from: z.number(), to: z.number() })
const metric = z.object({
  type: z.enum(['counter', 'gauge', 'rate', 'trend']),
  values: z.record(z.string(), z.number()),
})

const schema = z.object({
  version: z.literal(1),
  runId: z.number().int(),
  configFile: z.string(),
  targetUrl: z.string(),
  backends: z.record(z.enum(['prometheus', 'loki', 'jaeger', 'alertmanager']), z.string()),
  scenarios: z.array(
    z.object({
      file: z.string(),
      firstNumber: z.number(),
      rate: z.number().optional(),
      durationMs: z.number().optional(),
      thresholds: z.record(z.string(), z.array(z.string())),
      window,
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
    }),
  ),
})

/** What `muster check` needs to judge a run again: what was driven, when, and what k6 said. No secrets. */
export type Recording = z.infer<typeof schema>

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
