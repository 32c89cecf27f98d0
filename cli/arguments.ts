import { InvalidArgumentError } from 'commander'
import { parsePrometheusDuration } from '../lib/prometheus-duration.ts'

/** Milliseconds, of a flag that holds a duration of Prometheus. @throws InvalidArgumentError */
export function interval(text: string): number {
  const ms = parsePrometheusDuration(text) ?? 0
  if (ms > 0) return ms
  throw new InvalidArgumentError('It must be a duration of Prometheus such as 15s or 1m.')
}

/** @throws InvalidArgumentError for what is not from 0 to 1 */
export function share(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 1) return value
  throw new InvalidArgumentError('It must be a number from 0 to 1.')
}

/** A parser of whole numbers within bounds, both included. */
export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
}
