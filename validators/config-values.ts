import { z } from 'zod'
import { parseDuration } from '../lib/duration.ts'

/** A duration longer than nothing, as k6 and Prometheus write it. */
export const duration = z
  .string()
  .refine((text) => (parseDuration(text) ?? 0) > 0, {
    error: (issue) => `"${String(issue.input)}" is no duration like 500ms, 10s or 1m30s`,
  })
  .meta({ title: 'duration' })

export const httpUrl = z
  .url({
    protocol: /^https?$/,
    error: (issue) => `${JSON.stringify(issue.input)} is no http or https URL such as http://127.0.0.1:8080`,
  })
  .refine(
    (text) => !URL.canParse(text) || (new URL(text).username === '' && new URL(text).password === ''),
    'must not hold credentials: name environment variables in auth instead',
  )

/** The name of an environment variable. */
export const variable = z
  .string()
  .regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable, never the secret itself')
  .meta({ title: 'environment variable' })

/** True for hosts that are this machine. */
export function isLoopback(url: string): boolean {
  return /^(127(\.\d{1,3}){3}|localhost|\[::1\])$/.test(new URL(url).hostname)
}
