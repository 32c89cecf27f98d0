import { existsSync, readFileSync } from 'node:fs'

// Prints "passed failed" of a vitest JSON report. No report, a suite that broke, or a skipped test is a failure: it proves nothing.
const [, , file] = process.argv
if (!file || !existsSync(file)) {
  console.log('0 1')
} else {
  const report = JSON.parse(readFileSync(file, 'utf8'))
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped, numTotalTests: total } = report
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  )
  console.log(`${passed} ${failed + skipped + broken.length + (total === 0 ? 1 : 0)}`)
}
