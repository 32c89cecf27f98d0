import { spawn } from 'node:child_process'
import { EnvironmentError } from '../lib/errors.ts'

const answerWithinMs = 20_000

/**
 * Asks the helper program `timeinterval` (stack/modules/timeinterval), one process for all questions of a call.
 * @param binary the program, of `obtain`
 * @returns what puts questions, one JSON object each, and resolves to the answers in the same order; it throws EnvironmentError
 * if the program does not answer all of them in time
 */
export function calendarAsker(binary: string): (questions: readonly string[]) => Promise<readonly string[]> {
  return (questions) =>
    new Promise((resolve, reject) => {
      const child = spawn(binary, [], { stdio: ['pipe', 'pipe', 'pipe'], env: {}, timeout: answerWithinMs })
      const [out, said]: [Buffer[], Buffer[]] = [[], []]
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
      child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
      child.stdin.on('error', () => {})
      child.on('error', (error) => reject(new EnvironmentError(`timeinterval cannot be started: ${error.message}.`)))
      child.on('close', (code) => {
        const answers = Buffer.concat(out).toString().split('\n').filter(Boolean)
        if (code === 0 && answers.length === questions.length) return resolve(answers)
        const why =
          Buffer.concat(said).toString().trim() || `code ${code}, ${answers.length} of ${questions.length} answers`
        reject(new EnvironmentError(`timeinterval did not answer (${why}): remove it from the cache and try again.`))
      })
      child.stdin.end(`${questions.join('\n')}\n`)
    })
}
