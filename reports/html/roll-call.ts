import type { LinkTemplates } from '../../lib/links.ts'
import { fillLink } from '../../lib/links.ts'
import type { Run } from '../run-schema.ts'
import { count } from '../terminal-summary.ts'
import { copyable } from './failures.ts'
import { lasting } from './figures.ts'
import { html, link, type Markup } from './markup.ts'

type Table = Run['rollCalls'][number]
type Row = Table['rows'][number]

/** Losses that are shown, of all scenarios together; run.json has the rest. */
const shownLosses = 10

/** Sent = counted = logged = traced: a row per service, where the number that differs stands out. */
export function rollCallSection({ rollCalls }: Run, templates: LinkTemplates): Markup | undefined {
  if (rollCalls.length === 0) return undefined
  const losses = rollCalls.flatMap((one) => one.losses)
  const titles = ['Sent', 'Counted', 'Logged', 'Traced', 'Missing', 'Doubled', 'Freshness']
  const open = rollCalls.some(({ rows }) => rows.some(({ sent: [least, most] }) => least < most))
  return html`<section id="roll-call" aria-labelledby="roll-call-title"><h2 id="roll-call-title">Roll call</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="roll-call-title"><table class="figures"><caption>Sent = counted = logged = traced, by service</caption>
<thead><tr><th scope="col">Service</th>${titles.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
${rollCalls.map(
  ({ scenario, rows }) =>
    html`<tbody><tr class="group"><th scope="rowgroup" colspan="8">${scenario}</th></tr>${rows.map(rowOf)}</tbody>`,
)}</table></div>
${open && html`<p class="note">+n: up to so many more, which were cut off or never answered.</p>`}
${
  losses.length > 0 &&
  html`<h3>Losses</h3><ol class="losses">${losses
    .slice(0, shownLosses)
    .map(
      ({ service, signal, id, command }, n) =>
        html`<li><p>${link(fillLink(templates.trace, { traceId: id }) ?? '', id)} · ${service}, ${signal}</p>${copyable(command, `loss-${n}`)}</li>`,
    )}</ol>${losses.length > shownLosses && html`<p>… and ${count(losses.length - shownLosses)} more in run.json.</p>`}`
}
</section>`
}

function rowOf(row: Row): Markup {
  const [least, most] = row.sent
  return html`<tr><th scope="row">${row.service}</th><td>${count(least)}${most > least && `+${count(most - least)}`}</td>
${[row.counted, row.logged, row.traced].map((seen) => seenCell(seen, row))}
<td${row.missing > 0 && html` class="bad"`}>${some(row.missing)}</td><td${row.doubled > 0 && html` class="bad"`}>${some(row.doubled)}</td>
<td>${row.freshnessMs === null ? (row.missing > 0 ? 'never' : '?') : lasting(row.freshnessMs)}</td></tr>`
}

/** What differs from what was sent says by how much. */
function seenCell(seen: number | null, { sent: [least, most] }: Row): Markup {
  if (seen === null) return html`<td class="unknown"><abbr title="could not be asked, or was not">?</abbr></td>`
  const by = seen < least ? seen - least : seen > most ? seen - most : 0
  if (by === 0) return html`<td>${count(seen)}</td>`
  return html`<td class="bad">${count(seen)} <small>${by > 0 ? '+' : '−'}${count(Math.abs(by))}</small></td>`
}

/** A point for none: what is there stands out. */
function some(value: number): string {
  return value === 0 ? '·' : count(value)
}
