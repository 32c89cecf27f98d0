import { CommanderError } from 'commander'
import { type ExitCode, exitCodes, MusterError } from '../lib/errors.ts'
import { makeProgram } from './program.ts'

// CI systems hand on what was not filled in as an empty text.
for (const [name, value] of Object.entries(process.env))
  if (name.startsWith('MUSTER_') && value === '') delete process.env[name]

let exitCode: ExitCode = exitCodes.passed

try {
  await makeProgram((code) => {
    exitCode = code
  }).parseAsync()
} catch (error) {
  if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? exitCodes.passed : exitCodes.usage
  else if (error instanceof MusterError) {
    process.stderr.write(`${error.message}\n`)
    exitCode = error.exitCode
  } else throw error
}
process.exitCode = exitCode
