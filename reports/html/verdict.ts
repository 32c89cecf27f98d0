import { formatDuration } from '../../lib/duration.ts'
import { exitCodes } from '../../lib/errors.ts'
import { isRed } from '../../lib/verdict.ts'
import { placeOf } from '../evidence.ts'
import type { Run } from '../run-schema.ts'
import { count, percent } from '../terminal-summary.ts'
import { counted, lasting, moment } from './figures.ts'
import { type Content, html, type Markup } from './markup.ts'
import type { Meaning } from './meanings.ts'
import { subjectsOf } from './subjects.ts'

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
  const accepted = checks.filter(({ verdict }) => verdict === 'accepted').length
  const skipped = checks.filter(({ verdict }) => verdict === 'skipped').length
  const isGreen = end?.exitCode === exitCodes.passed
  const word = end === null ? 'Cut off' : (words[end.exitCode] ?? 'Failed')
  const sentence = end?.verdict ?? `The run did not come to its end; this was written at ${moment(run.writtenAt)} UTC.`
  const tally = [
    `${counted(passed, 'check')} passed`,
    ...(red.length > 0 ? [`${count(red.length)} red`] : []),
    ...(accepted > 0 ? [`${count(accepted)} accepted`] : []),
    ...(skipped > 0 ? [`${count(skipped)} skipped`] : []),
    ...(end === null || end.exitCode === exitCodes.interrupted ? ['the rest was not judged, and is not proven'] : []),
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

/** One entry for each check, not for each scenario that it failed in; an alert's checks have one. */
function whatFailed(run: Run, meaningOf: (id: string) => Meaning | undefined): Markup {
  const subjects = subjectsOf(run, ({ check }) => check.id)
  const rows = subjects.slice(0, shownAtTop).map(([first, ...others]) => {
    const { id, title, reason, verdict } = first.check
    const alike = others.filter(({ check }) => check.id === id)
    const more = others.length - alike.length
    const isUnasked = verdict === 'errored'
    const meaning = isUnasked ? 'It could not be asked: nobody knows what the answer is.' : meaningOf(id)?.red
    const places = [first, ...alike].map(({ check }) => placeOf(check)).join(', ')
    return html`<li><a href="#failure-${first.index}">${title}</a> <span class="place">${places}${more > 0 && `, and ${counted(more, 'more check')} ${isUnasked ? 'for this reason' : 'of this alert'}`}</span>
${reason && html`<span class="because">${reason}</span>`}${meaning && html`<span class="why">${meaning}</span>`}</li>`
  })
  const rest = subjects.length - rows.length
  return html`<h2 class="small">What failed, and what it means</h2>
<ul class="failed">${rows}${rest > 0 && html`<li>… and ${counted(rest, 'more kind')} of failure, below</li>`}</ul>`
}

function facts({ plan, end, startedAt, versions, environment, scenarios, checks, warnings, writtenAt }: Run): Markup {
  const begun = end?.startedAt ?? startedAt
  const ended = end?.endedAt ?? writtenAt
  const names = plan?.scenarios.map(({ name, profile }) => (name === profile ? name : `${name} (${profile})`)) ?? []
  const driven = new Set(scenarios.map(({ name }) => name))
  const undriven = plan?.scenarios.filter(({ name }) => !driven.has(name)).map(({ name }) => name) ?? []
  const rows: [string, Content][] = [
    ['Against', plan?.target],
    ['Scenarios', names.join(', ')],
    ['Not driven', undriven.join(', ')],
    ['Skipped', list(skippedWhy(checks))],
    ['Faults', list(plan?.faults ?? [])],
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
      list(Object.entries(plan?.backends ?? {}).map(([name, url]) => html`${name} <span class="place">${url}</span>`)),
    ],
    ['Deadlines', plan && plan.deadlines.length > 0 && deadlines(plan.deadlines)],
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

/** Why checks were skipped, each reason once: what was not looked at is said at the top. */
function skippedWhy(checks: Run['checks']): Content[] {
  const numbers = new Map<string, number>()
  for (const { verdict, reason = 'no reason was given' } of checks)
    if (verdict === 'skipped') numbers.set(reason, (numbers.get(reason) ?? 0) + 1)
  return [...numbers].map(([reason, number]) => html`${reason} <span class="place">${counted(number, 'check')}</span>`)
}

function list(texts: readonly Content[]): Content {
  return texts.length > 0 && html`<ul class="plain">${texts.map((text) => html`<li>${text}</li>`)}</ul>`
}

/** What is waited for, and of what the wait is made up: the first colon parts the two. */
function deadlines(all: readonly string[]): Markup {
  const rows = all.map((text) => {
    const [, what = text, sum = ''] = /^(.*?): (.*)$/s.exec(text) ?? []
    return html`<li>${what}${sum && html`<span class="sum">${sum}</span>`}</li>`
  })
  return html`<details class="deadlines"><summary>${counted(all.length, 'deadline')}, derived from what the backends say of themselves</summary><ul>${rows}</ul></details>`
}
