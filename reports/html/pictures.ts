import { formatDuration } from '../../lib/duration.ts'
import type { Run } from '../run-schema.ts'
import { moment } from './figures.ts'
import { html, type Markup } from './markup.ts'
import { groupsOf, type PictureGroup, say } from './panels.ts'

/** Room for the pictures, which the page's script draws, and the same in figures for whoever cannot see them. */
export function picturesSection({ course, lanes }: Run): Markup {
  const groups = course ? groupsOf(course.series) : []
  if (groups.length === 0 && lanes.length === 0)
    return html`<section id="pictures" aria-labelledby="pictures-title"><h2 id="pictures-title">Course</h2>
<p class="note">No course of this run was recorded${course && course.missing.length > 0 ? `: ${course.missing.join('; ')}` : ''}.</p></section>`
  return html`<section id="pictures" aria-labelledby="pictures-title"><h2 id="pictures-title">Course</h2>
<div id="zooms" class="zooms" role="group" aria-label="Zoom of all pictures" hidden></div>
<noscript><p class="note">The pictures are drawn by a script, which does not run here; their figures follow.</p></noscript>
${groups.map(
  ({ key, title }) =>
    html`<figure class="picture"><figcaption>${title}</figcaption><div class="plot" data-picture="${key}" aria-hidden="true"></div></figure>`,
)}
${
  lanes.length > 0 &&
  html`<h3 id="alerts">Alerts</h3>${lanes.map(
    ({ alert, trial }, n) =>
      html`<figure class="picture"><figcaption>${alert} <span class="place">in the trial "${trial}"</span></figcaption><div class="plot" data-lane="${n}" aria-hidden="true"></div></figure>`,
  )}<p class="note">A bar is when a station had to be reached, a point when it was; both are red where it was not. → is the notification, ✓ that of the resolution. The shaded stretch is the fault.</p>`
}
${course && course.missing.length > 0 && html`<h3>Missing</h3><ul class="missing">${course.missing.map((text) => html`<li>${text}</li>`)}</ul>`}
<details class="figures-of"><summary>The pictures in figures</summary>${course && groups.length > 0 && seriesTable(course, groups)}${lanes.length > 0 && lanesTable(lanes)}</details>
</section>`
}

function seriesTable({ from, stepMs }: NonNullable<Run['course']>, groups: readonly PictureGroup[]): Markup {
  const rows = groups.flatMap(({ title, unit, series }) =>
    series.flatMap(({ name, values }) => {
      const known = values.flatMap((value) => value ?? [])
      if (known.length === 0) return []
      const most = known.reduce((a, b) => Math.max(a, b))
      const least = known.reduce((a, b) => Math.min(a, b))
      const mean = known.reduce((a, b) => a + b, 0) / known.length
      const cells = [least, mean, most].map((value) => html`<td>${say(value, unit)}</td>`)
      const when = moment(from + values.indexOf(most) * stepMs).slice(11)
      return [html`<tr><th scope="row">${title}: ${name}</th>${cells}<td>${when}</td></tr>`]
    }),
  )
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Series in figures"><table class="figures"><caption>Series</caption><thead><tr><th scope="col">Series</th><th scope="col">Least</th><th scope="col">Mean</th><th scope="col">Most</th><th scope="col">Most at (UTC)</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

function lanesTable(lanes: Run['lanes']): Markup {
  const rows = lanes.flatMap(({ alert, fault, stations }) =>
    stations.map(({ id, receiver, at, permitted }) => {
      const base = id.startsWith('resolved') ? fault.to : fault.from
      const after = (time: number) => formatDuration(Math.max(0, time - base))
      const bad = at === null || at < permitted.from || at > permitted.to
      return html`<tr><th scope="row">${alert}</th><td>${id}${receiver && ` ${receiver}`}</td><td${bad && html` class="bad"`}>${at === null ? 'never' : after(at)}</td><td>${after(permitted.from)} to ${after(permitted.to)}</td></tr>`
    }),
  )
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Alerts in figures"><table class="figures"><caption>Alerts: stations of the way there after the fault, of the way back after its end</caption><thead><tr><th scope="col">Alert</th><th scope="col">Station</th><th scope="col">Reached after</th><th scope="col">Permitted</th></tr></thead><tbody>${rows}</tbody></table></div>`
}
