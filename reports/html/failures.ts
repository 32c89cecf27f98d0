import { formatDuration } from '../../lib/duration.ts'
import type { LinkTemplates } from '../../lib/links.ts'
import { isRed } from '../../lib/verdict.ts'
import { attemptsOf, timeOfDay } from '../attempts.ts'
import { explainCommand } from '../check-docs.ts'
import { formatWindow, placeOf } from '../evidence.ts'
import type { Run } from '../run-schema.ts'
import { count, looks } from '../terminal-summary.ts'
import { counted } from './figures.ts'
import { linksTo } from './links.ts'
import { type Content, html, link, type Markup } from './markup.ts'
import type { Meaning } from './meanings.ts'
import { type Red, subjectsOf } from './subjects.ts'

type Check = Run['checks'][number]

/** Failures that are told in full; thousands of them would have one cause. */
const shown = 50

/** Each failure as a story: what was expected, what was seen, how it was asked, how to ask again, where to look. */
export function failuresSection(
  run: Run,
  templates: LinkTemplates,
  meaningOf: (id: string) => Meaning | undefined,
): Markup | undefined {
  const red = run.checks.filter(isRed).length
  if (red === 0) return undefined
  const rest = red - shown
  const told = ({ check, index }: Red) => hasStory(run, index) && story(check, index, templates, meaningOf(check.id))
  return html`<section id="failures" aria-labelledby="failures-title"><h2 id="failures-title">Failures <span class="number">${count(red)}</span></h2>
${subjectsOf(run).map(
  ([first, ...others]) =>
    html`${told(first)}${
      others.length > 0 &&
      hasStory(run, others[0]?.index ?? 0) &&
      html`<details class="others"><summary>${counted(others.length, 'more check')} ${first.check.verdict === 'errored' ? 'that could not be asked for the same reason' : 'of the same alert'}</summary>${others.map(told)}</details>`
    }`,
)}
${rest > 0 && html`<p>… and ${counted(rest, 'more')} in the <a href="#checks">list of checks</a>.</p>`}
</section>`
}

/** Failures that the config accepts for a while: nothing is red of them, and nothing proven. */
export function acceptedSection({ checks }: Run, templates: LinkTemplates): Markup | undefined {
  const accepted = checks.flatMap((check, index) => (check.verdict === 'accepted' ? [{ check, index }] : []))
  if (accepted.length === 0) return undefined
  return html`<section id="accepted" aria-labelledby="accepted-title"><h2 id="accepted-title">Accepted <span class="number">${count(accepted.length)}</span></h2>
<p class="note">These failed, and the config accepts it for a while: they make nothing red, and prove nothing.</p>
${accepted.map(({ check, index }) => story(check, index, templates, undefined))}
</section>`
}

/** True if the check at this place among the red ones has a story. */
export function hasStory({ checks }: Pick<Run, 'checks'>, index: number): boolean {
  return checks.slice(0, index).filter(isRed).length < shown
}

function story(check: Check, index: number, templates: LinkTemplates, meaning: Meaning | undefined): Markup {
  const { id, title, verdict, reason } = check
  const look = isRed(check) ? 'red' : verdict
  return html`<article class="story ${look}" id="failure-${index}" aria-labelledby="failure-${index}-title">
<h3 id="failure-${index}-title"><span class="badge ${look}">${looks[verdict].word}</span> ${title}</h3>
<p class="place">${placeOf(check)} · <code>${id}</code></p>
${reason && html`<p class="reason">${reason}</p>`}
${
  verdict === 'errored' &&
  html`<p class="meaning"><strong>What it means.</strong> The question could not be put: nobody knows what the answer is.</p>`
}
${
  verdict !== 'errored' &&
  meaning &&
  html`<p class="meaning"><strong>What it means.</strong> ${meaning.red}${meaning.lookFirst && html` <strong>Look first at</strong> ${meaning.lookFirst}.`} <code>${explainCommand(id)}</code> tells more.</p>`
}
${evidence(check, templates, `failure-${index}`)}
</article>`
}

/** What a verdict rests on, a term and its text. */
export function evidence(
  check: Pick<Check, 'signal' | 'reason' | 'accepted' | 'evidence'>,
  templates: LinkTemplates,
  place: string,
): Markup {
  const { expected, actual, query, window, attempts, elapsedMs, deadline, reproduce } = check.evidence
  // The first detail is often the reason, which stands above.
  const details = (check.evidence.details ?? []).filter((line) => line !== check.reason)
  const asked = `${counted(attempts, 'attempt')} in ${formatDuration(elapsedMs)}`
  const tries = attemptsOf(check.evidence)
  const links = linksTo(check, templates)
  const { accepted } = check
  const rows: [string, Content][] = [
    ['Accepted', accepted && `${accepted.reason}, by ${accepted.owner}, until ${accepted.expires}`],
    ['Expected', expected],
    ['Actual', html`<span class="actual">${actual}</span>`],
    ['Details', details.length > 0 && html`<ul class="details">${details.map((line) => html`<li>${line}</li>`)}</ul>`],
    ['Query', query && html`<code>${query}</code>`],
    ['Window', window && formatWindow(window)],
    ['Tried', html`${asked}${tries.length > 0 && html`<ol class="tries">${tries.map(attempt)}</ol>`}`],
    ['Deadline', deadline],
    ['Reproduce', reproduce && copyable(reproduce, `${place}-command`)],
    ['Look at', links.length > 0 && links.map(({ text, address }, n) => html`${n > 0 && ' · '}${link(address, text)}`)],
  ]
  return html`<dl class="evidence">${rows.map(([term, text]) => text && html`<div><dt>${term}</dt><dd>${text}</dd></div>`)}</dl>`
}

function attempt(part: ReturnType<typeof attemptsOf>[number]): Markup {
  if (typeof part === 'number') return html`<li class="more">… ${part.toLocaleString('en-US')} more between</li>`
  const { from, to, attempts, found } = part
  const when = attempts === 1 ? timeOfDay(from) : `${timeOfDay(from)} to ${timeOfDay(to)}`
  return html`<li><time>${when}</time> <span>${found}${attempts > 1 && html` <small>${attempts} times</small>`}</span></li>`
}

/** A command, with a button that copies it. The button shows itself where scripts run. */
export function copyable(command: string, id: string): Markup {
  return html`<div class="copyable"><pre id="${id}" tabindex="0">${command}</pre><button type="button" class="copy" data-copy="${id}" hidden>Copy<span class="hidden"> the command</span></button></div>`
}
