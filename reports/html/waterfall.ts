import { formatDuration } from '../../lib/duration.ts'
import { fillLink, type LinkTemplates } from '../../lib/links.ts'
import type { Run } from '../run-schema.ts'
import { counted } from './figures.ts'
import { html, link, type Markup } from './markup.ts'
import { hues, say } from './panels.ts'

type Trace = Run['traces'][number]
type Span = Trace['spans'][number]

/** A trace may hold any number of spans; these tell enough. */
const shownSpans = 100

/** The traces of the slowest and of a failed request, a bar for each span. */
export function tracesSection({ traces }: Run, templates: LinkTemplates, names: readonly string[]): Markup | undefined {
  if (traces.length === 0) return undefined
  const note = traces.some(({ why }) => why === 'failed')
    ? ''
    : 'No request that was traced was answered with an error of the server.'
  return html`<section id="traces" aria-labelledby="traces-title"><h2 id="traces-title">Requests</h2>
${traces.map((trace) => waterfall(trace, templates, names))}${note && html`<p class="note">${note}</p>`}</section>`
}

function waterfall(
  { why, scenario, traceId, spans }: Trace,
  templates: LinkTemplates,
  names: readonly string[],
): Markup {
  const from = Math.min(...spans.map(({ startedAt }) => startedAt))
  const to = Math.max(...spans.map(({ startedAt, durationMs }) => startedAt + durationMs))
  const rows = inOrder(spans).slice(0, shownSpans)
  const address = fillLink(templates.trace, { traceId, window: { from, to } }) ?? ''
  const title = why === 'slowest' ? 'The slowest request' : 'A failed request'
  return html`<h3>${title} of ${scenario}: ${formatDuration(to - from)}, ${counted(spans.length, 'span')}</h3>
<p class="place">trace ${link(address, traceId)}</p>
<div class="scroll" tabindex="0" role="region" aria-label="${title} of ${scenario}"><table class="waterfall"><thead><tr><th scope="col">Span</th><th scope="col">Lasted</th><th scope="col">Since its beginning: 0 to ${formatDuration(to - from)}</th></tr></thead>
<tbody>${rows.map(({ span, depth }) => row(span, depth, { from, to, hue: names.indexOf(span.service) % hues }))}</tbody></table></div>
${spans.length > rows.length && html`<p class="note">… and ${counted(spans.length - rows.length, 'more span')}.</p>`}`
}

interface Scale {
  readonly from: number
  readonly to: number
  readonly hue: number
}

/** Of the bar's thousand parts a span has at least these, so that it can be seen. */
const leastWidth = 3

function row({ service, operation, kind, startedAt, durationMs, error }: Span, depth: number, scale: Scale): Markup {
  const width = Math.max(1e-6, scale.to - scale.from)
  const x = Math.min(1000 - leastWidth, ((startedAt - scale.from) / width) * 1000)
  const length = Math.max(leastWidth, (durationMs / width) * 1000)
  return html`<tr${error && html` class="error"`}><th scope="row" class="depth-${Math.min(depth, 8)}"><b>${service}</b> ${operation}${kind !== 'internal' && html` <small>${kind}</small>`}${error && html` <span class="badge red">error</span>`}</th>
<td>${say(durationMs, 'ms')}</td><td class="bar"><svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true"><rect class="hue-${scale.hue}" x="${x.toFixed(1)}" y="1" width="${length.toFixed(1)}" height="8" rx="1.5"/></svg><span class="hidden">after ${say(startedAt - scale.from, 'ms')}</span></td></tr>`
}

/** Children beneath their parents, the earlier first. A span whose parent is missing, or is its own descendant, is a root. */
function inOrder(spans: readonly Span[]): { readonly span: Span; readonly depth: number }[] {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const children = new Map<string, Span[]>()
  for (const span of [...spans].sort((a, b) => a.startedAt - b.startedAt)) {
    const parent = span.parents.find((id) => ids.has(id) && id !== span.spanId) ?? ''
    children.set(parent, [...(children.get(parent) ?? []), span])
  }
  const ordered: { span: Span; depth: number }[] = []
  const seen = new Set<Span>()
  const visit = (span: Span, depth: number) => {
    if (seen.has(span)) return
    seen.add(span)
    ordered.push({ span, depth })
    for (const child of children.get(span.spanId) ?? []) visit(child, depth + 1)
  }
  for (const span of [...(children.get('') ?? []), ...spans]) visit(span, 0)
  return ordered
}
