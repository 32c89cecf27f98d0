import { formatDuration } from '../../lib/duration.ts'
import type { LinkTemplates } from '../../lib/links.ts'
import { explainCommand } from '../check-docs.ts'
import { formatWindow, placeOf } from '../evidence.ts'
import type { Run } from '../run-schema.ts'
import { count, isRed, looks } from '../terminal-summary.ts'
import { counted } from './figures.ts'
import { linksTo } from './links.ts'
import { type Content, html, link, type Markup } from './markup.ts'
import type { Meaning } from './meanings.ts'

type Check = Run['checks'][number]

/** Failures that are told in full; thousands of them would have one cause. */
const shown = 50

/** Each failure as a story: what was expected, what was seen, how it was asked, how to ask again, where to look. */
export function failuresSection(
  { checks }: Run,
  templates: LinkTemplates,
  meaningOf: (id: string) => Meaning | undefined,
): Markup | undefined {
  const red = checks.flatMap((check, index) => (isRed(check) ? [{ check, index }] : []))
  if (red.length === 0) return undefined
  const rest = red.length - shown
  return html`<section id="failures" aria-labelledby="failures-title"><h2 id="failures-title">Failures <span class="number">${count(red.length)}</span></h2>
${red.slice(0, shown).map(({ check, index }) => story(check, index, templates, meaningOf(check.id)))}
${rest > 0 && html`<p>… and ${counted(rest, 'more')} in the <a href="#checks">list of checks</a>.</p>`}
</section>`
}

/** True if the check at this place among the red ones has a story. */
export function hasStory({ checks }: Pick<Run, 'checks'>, index: number): boolean {
  return checks.slice(0, index).filter(isRed).length < shown
}

function story(check: Check, index: number, templates: LinkTemplates, meaning: Meaning | undefined): Markup {
  const { id, title, verdict, reason } = check
  return html`<article class="story" id="failure-${index}" aria-labelledby="failure-${index}-title">
<h3 id="failure-${index}-title"><span class="badge red">${looks[verdict].word}</span> ${title}</h3>
<p class="place">${placeOf(check)} · <code>${id}</code></p>
${reason && html`<p class="reason">${reason}</p>`}
${evidence(check, templates, `failure-${index}`)}
${
  meaning &&
  html`<p class="meaning"><strong>What it means.</strong> ${meaning.red}${meaning.lookFirst && html` <strong>Look first at</strong> ${meaning.lookFirst}.`} <code>${explainCommand(id)}</code> tells more.</p>`
}
</article>`
}

/** What a verdict rests on, a term and its text. */
export function evidence(
  check: Pick<Check, 'signal' | 'reason' | 'evidence'>,
  templates: LinkTemplates,
  place: string,
): Markup {
  const { expected, actual, query, window, attempts, elapsedMs, deadline, reproduce } = check.evidence
  // The first detail is often the reason, which stands above.
  const details = (check.evidence.details ?? []).filter((line) => line !== check.reason)
  const asked = `${counted(attempts, 'attempt')} in ${formatDuration(elapsedMs)}`
  const links = linksTo(check, templates)
  const rows: [string, Content][] = [
    ['Expected', expected],
    ['Actual', html`<span class="actual">${actual}</span>`],
    ['Details', details.length > 0 && html`<ul class="details">${details.map((line) => html`<li>${line}</li>`)}</ul>`],
    ['Query', query && html`<code>${query}</code>`],
    ['Tried', window ? `${asked}; window ${formatWindow(window)}` : asked],
    ['Deadline', deadline],
    ['Reproduce', reproduce && copyable(reproduce, `${place}-command`)],
    ['Look at', links.length > 0 && links.map(({ text, address }, n) => html`${n > 0 && ' · '}${link(address, text)}`)],
  ]
  return html`<dl class="evidence">${rows.map(([term, text]) => text && html`<div><dt>${term}</dt><dd>${text}</dd></div>`)}</dl>`
}

/** A command, with a button that copies it. The button shows itself where scripts run. */
export function copyable(command: string, id: string): Markup {
  return html`<div class="copyable"><pre id="${id}" tabindex="0">${command}</pre><button type="button" class="copy" data-copy="${id}" hidden>Copy<span class="hidden"> the command</span></button></div>`
}
