import { createHash } from 'node:crypto'
import type { Run } from '../run-schema.ts'
import type { Assets } from './assets.ts'
import { checksSection } from './checks.ts'
import { acceptedSection, failuresSection } from './failures.ts'
import { linksOf } from './links.ts'
import { type Content, html, scriptJson } from './markup.ts'
import { readMeanings } from './meanings.ts'
import { namesOf } from './panels.ts'
import { picturesSection } from './pictures.ts'
import { rollCallSection } from './roll-call.ts'
import { verdictSection } from './verdict.ts'
import { tracesSection } from './waterfall.ts'

/**
 * The report as one file of HTML: it can be read without scripts, and fetches nothing. A policy in it allows its own
 * script and style by their hashes, and nothing else.
 */
export function renderPage(run: Run, { script, style }: Assets): string {
  const meaningOf = readMeanings()
  const templates = linksOf(run)
  const names = namesOf(run.course, run.traces)
  const sections: [string, string, Content][] = [
    ['failures', 'Failures', failuresSection(run, templates, meaningOf)],
    ['accepted', 'Accepted', acceptedSection(run, templates)],
    ['pictures', 'Course', picturesSection(run)],
    ['roll-call', 'Roll call', rollCallSection(run, templates)],
    ['traces', 'Requests', tracesSection(run, templates, names)],
    ['checks', 'Checks', checksSection(run, templates)],
  ]
  const there = sections.filter(([, , section]) => section)
  // The lanes share the axis of the pictures, and so their section.
  const places = there.flatMap(([id, title]) => [
    [id, title],
    ...(id === 'pictures' && run.lanes.length > 0 ? [['alerts', 'Alerts']] : []),
  ])
  const policy = `default-src 'none'; script-src '${hashOf(script)}'; style-src '${hashOf(style)}'; base-uri 'none'; form-action 'none'`
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${run.end?.exitCode === 0 ? '✓' : '✗'} muster ${run.runId}</title>
`
  const body = html`</head>
<body>
<a class="skip" href="#main">To the content</a>
${verdictSection(run, meaningOf)}
<nav aria-label="Sections">${places.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
<main id="main">
${there.map(([id, , section]) => id !== 'checks' && section)}
`
  const end = html`${there.find(([id]) => id === 'checks')?.[2]}
</main>
<footer><p>Made by muster ${run.versions.muster}. Times are UTC. The data is in run.json beside this file.</p></footer>
`
  // Neither is from outside: the style is a file of this folder, the script a bundle of it; the data is escaped for scripts.
  const data = `<script type="application/json" id="data">${scriptJson({ course: run.course, lanes: run.lanes, names })}</script>`
  // The script stands before the list of checks, which may be long: the pictures need not wait for it.
  return `${page}<style>${style}</style>\n${body}${data}\n<script>${script}</script>\n${end}</body>\n</html>\n`
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
