import type { LinkTemplates } from '../../lib/links.ts'
import { isRed, signals, verdicts } from '../../lib/verdict.ts'
import { placeOf } from '../evidence.ts'
import type { Run } from '../run-schema.ts'
import { count, looks } from '../terminal-summary.ts'
import { evidence, hasStory } from './failures.ts'
import { html, type Markup } from './markup.ts'

/**
 * Every check, with a search and filters that the page's script keeps in the address. What a check rests on stands in `noscript`:
 * where scripts run that is one text until somebody opens the row, without them it is there at once. Thousands of rows open
 * quickly so.
 */
export function checksSection(run: Run, templates: LinkTemplates): Markup {
  const { checks } = run
  const scenarios = [...new Set(checks.flatMap(({ scenario }) => scenario ?? []))]
  const used = signals.filter((signal) => checks.some((check) => check.signal === signal))
  const ended = verdicts.filter((verdict) => checks.some((check) => check.verdict === verdict))
  const option = (value: string, text: string) => html`<option value="${value}">${text}</option>`
  return html`<section id="checks" aria-labelledby="checks-title"><h2 id="checks-title">Checks <span class="number">${count(checks.length)}</span></h2>
<form id="filters" class="filters" role="search" aria-label="Checks" hidden>
<label>Search <input type="search" name="q" autocomplete="off" spellcheck="false"></label>
<label>Verdict <select name="verdict"><option value="">all</option><option value="red">red</option>${ended.map((one) => option(one, looks[one].word))}</select></label>
<label>Signal <select name="signal"><option value="">all</option>${used.map((one) => option(one, one))}</select></label>
<label>Scenario <select name="scenario"><option value="">all</option>${scenarios.map((one) => option(one, one))}</select></label>
<output id="shown" aria-live="polite"></output>
</form>
${checks.length === 0 ? html`<p>No check was judged, so nothing is proven.</p>` : html`<ul class="checks" id="check-list">${checks.map((check, index) => row(check, index, run, templates))}</ul>`}
</section>`
}

function row(check: Run['checks'][number], index: number, run: Run, templates: LinkTemplates): Markup {
  const { id, title, verdict, signal, scenario, reason } = check
  const told = isRed(check) && hasStory(run, index)
  return html`<li data-verdict="${verdict}" data-signal="${signal}" data-scenario="${scenario}"><details><summary><span class="badge ${isRed(check) ? 'red' : verdict}">${looks[verdict].word}</span> <span class="title">${title}</span> <span class="place">${placeOf(check)} · ${id}</span></summary>
<noscript>${reason && html`<p class="reason">${reason}</p>`}${
    told
      ? html`<p><a href="#failure-${index}">Its story is among the failures.</a></p>`
      : evidence(check, templates, `check-${index}`)
  }</noscript></details></li>`
}
