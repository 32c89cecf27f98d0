import { formatDuration } from '../../lib/duration.ts'
import { exitCodes } from '../../lib/errors.ts'
import { placeOf } from '../evidence.ts'
import type { Run } from '../run-schema.ts'
import { count, isRed, percent } from '../terminal-summary.ts'
import { counted, lasting, moment } from './figures.ts'
import { html, type Markup } from './markup.ts'
import type { Meaning } from './meanings.ts'

const words: Readonly<Record<number, string>> = {
  [exitCodes.passed]: 'Passed',
  [exitCodes.failed]: 'Failed',
  [exitCodes.usage]: 'Not run',
  [exitCodes.environment]: 'Could not ask',
  [exitCodes.invalid]: 'Invalid',
  [exitCodes.interrupted]: 'Interrupted',
}

/** Of the failures so many are named at the top. */
const shownAtTop = 8

/** The verdict, what failed and why it matters, and what was run. */
export function verdictSection(run: Run, meaningOf: (id: string) => Meaning | undefined): Markup {
  const { end, checks } = run
  const red = checks.filter(isRed)
  const passed = checks.filter(({ verdict }) => verdict === 'passed').length
  const skipped = checks.filter(({ verdict }) => verdict === 'skipped').length
  const isGreen = end?.exitCode === exitCodes.passed
  const word = end === null ? 'Cut off' : (words[end.exitCode] ?? 'Failed')
  const sentence = end?.verdict ?? `The run did not come to its end; this was written at ${moment(run.writtenAt)} UTC.`
  const tally = [
    `${counted(passed, 'check')} passed`,
    ...(red.length > 0 ? [`${count(red.length)} red`] : []),
    ...(skipped > 0 ? [`${count(skipped)} skipped`] : []),
  ]
  return html`<header class="top ${isGreen ? 'green' : 'red'}">
<p class="brand">muster <span>run ${run.runId}</span></p>
<h1><span class="mark" aria-hidden="true">${isGreen ? '✓' : '✗'}</span> <span id="verdict">${word}</span></h1>
<p class="sentence">${sentence}</p>
<p class="tally">${tally.join(' · ')}</p>
${red.length > 0 && whatFailed(run, meaningOf)}
${facts(run)}
</header>`
}

/** One line for each check, not for each scenario that it failed in. */
function whatFailed({ checks }: Run, meaningOf: (id: string) => Meaning | undefined): Markup {
  const byId = new Map<string, string[]>()
  for (const check of checks.filter(isRed)) byId.set(check.id, [...(byId.get(check.id) ?? []), placeOf(check)])
  const rows = [...byId].slice(0, shownAtTop).map(([id, places]) => {
    const first = checks.findIndex((check) => check.id === id && isRed(check))
    const check = checks[first]
    return html`<li><a href="#failure-${first}">${check?.title}</a> <span class="place">${places.join(', ')}</span>
${meaningOf(id) && html`<span class="why">${meaningOf(id)?.red}</span>`}</li>`
  })
  const rest = byId.size - rows.length
  return html`<h2 class="small">What failed, and what it means</h2>
<ul class="failed">${rows}${rest > 0 && html`<li>… and ${counted(rest, 'more kind')} of failure, below</li>`}</ul>`
}

function facts({ plan, end, startedAt, versions, environment, scenarios, warnings, writtenAt }: Run): Markup {
  const begun = end?.startedAt ?? startedAt
  const ended = end?.endedAt ?? writtenAt
  const names = plan?.scenarios.map(({ name, profile }) => (name === profile ? name : `${name} (${profile})`)) ?? []
  const rows: [string, string | undefined][] = [
    ['Against', plan?.target],
    ['Scenarios', names.join(', ')],
    ['Faults', plan?.faults.join('; ')],
    ['When', begun === null ? undefined : `${moment(begun)} to ${moment(ended).slice(11)} UTC`],
    ['Lasted', begun === null ? undefined : formatDuration(ended - begun)],
    [
      'Versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    [
      'Machine',
      `${environment.cpus} × ${environment.cpuModel}, ${(environment.memoryBytes / 2 ** 30).toFixed(0)} GiB, ${environment.platform}`,
    ],
    [
      'Backends',
      plan === null
        ? undefined
        : Object.entries(plan.backends)
            .map(([name, url]) => `${name} ${url}`)
            .join(', '),
    ],
    ['Deadlines', plan?.deadlines.join('; ')],
  ]
  return html`<dl class="facts">${rows.map(([term, text]) => text && html`<div><dt>${term}</dt><dd>${text}</dd></div>`)}</dl>
${
  scenarios.length > 0 &&
  html`<div class="scroll" tabindex="0" role="region" aria-label="What was driven"><table class="figures"><caption>What was driven</caption>
<thead><tr><th scope="col">Scenario</th><th scope="col">Requests</th><th scope="col">Iterations</th><th scope="col">Dropped</th><th scope="col">p95</th><th scope="col">Errors</th></tr></thead>
<tbody>${scenarios.map(
    (one) =>
      html`<tr><th scope="row">${one.name}</th><td>${count(one.requests)}</td><td>${count(one.iterations)}</td><td${one.dropped > 0 && html` class="bad"`}>${count(one.dropped)}</td><td>${lasting(one.p95Ms)}</td><td>${one.errorRatio === null ? '?' : percent(one.errorRatio)}</td></tr>`,
  )}</tbody></table></div>`
}
${
  warnings.length > 0 &&
  html`<h2 class="small">Warnings</h2><ul class="warnings">${[...new Set(warnings.map(({ text }) => text))].map((text) => html`<li>${text}</li>`)}</ul>`
}`
}
