import { type DocumentedCheck, documentedCheck } from '../../reports/check-docs.ts'

/** A defect that was planted, and what a check said to it. */
interface Sabotage {
  readonly planted: string
  readonly id: string
  readonly verdict: string
  readonly said: string
}

const mostExamples = 3
/** Checks that belong to commands of their own, which know no `--only` and no `accepted`. */
const ownCommands: readonly (readonly [prefix: string, command: string])[] = [
  ['alerts.route.', 'muster alerts route --config alertmanager.yml'],
  ['alerts.rules.', "muster alerts rules --rules 'rules/*.yml'"],
  ['slo.proof.', 'muster slo prove'],
  ['slo.agreement', 'muster slo prove'],
  ['slo.precision', 'muster slo prove'],
  ['slo.recall', 'muster slo prove'],
  ['live.', 'muster check --since 5m'],
]

/** Reads docs/sabotages.md; a row without a sabotage belongs to the one above. */
export function parseSabotages(text: string): Sabotage[] {
  let planted = ''
  return text.split('\n').flatMap((line) => {
    const [, what = '', caught = '', ...rest] = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
    const [, id, verdict] = /^`([a-z]+\.[^`]+)` (failed|no-data|errored)$/.exec(caught) ?? []
    if (id === undefined || verdict === undefined) return []
    if (what !== '') planted = what
    const said = rest
      .slice(0, -1)
      .join('|')
      .replaceAll('\\|', '|')
      .replace(/&(lt|gt|amp);/g, (_, name) => ({ lt: '<', gt: '>', amp: '&' })[String(name)] ?? '')
    return [{ planted, id, verdict, said }]
  })
}

/** The page of one check: its row and section of docs/checks.md, and what it said to planted defects. */
export function checkPage(
  check: DocumentedCheck,
  checks: readonly DocumentedCheck[],
  sabotages: readonly Sabotage[],
): string {
  const { pattern, question, judged, red, lookFirst, section } = check
  const own = sabotages.filter(({ id }) => documentedCheck(id, checks) === check)
  const blocks = [
    `# ${escapeTags(pattern)}`,
    question,
    `**How it is judged.** ${judged}`,
    red === '' ? 'It is never red.' : `**What red means.** ${red}`,
    lookFirst === '' ? '' : `**Look first at:** ${lookFirst}.`,
    ...examples(own),
    '## And then',
    next(check),
    `## ${section.title}`,
    section.text,
  ]
  return `${moved(blocks.filter((block) => block !== '').join('\n\n'))}\n`
}

function examples(own: readonly Sabotage[]): string[] {
  const [first, ...more] = own.filter(({ said }, n) => own.findIndex((other) => other.said === said) === n)
  if (first === undefined) return []
  const shown = [first, ...more.filter(({ planted }) => planted !== first.planted)].slice(0, mostExamples)
  const told = shown.map(({ planted, id, verdict, said }) => `${planted}, \`${id}\` (${verdict}):\n\n    ${said}`)
  return [
    '## What it said',
    'Planted in the sample services on purpose, and caught ([all of them](sabotages.md)):',
    ...told.map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`),
  ]
}

function next({ page, pattern, section }: DocumentedCheck): string {
  const command = ownCommands.find(([prefix]) => pattern.startsWith(prefix))?.[1]
  const lines =
    command === undefined
      ? [
          `    muster check --only ${page}`,
          'judges the latest run again, without load, as long as its backends hold the data. What cannot be mended now is',
          '[accepted](config.md#accepted) until a day. ',
        ]
      : [`    ${command}`, 'asks it again. ']
  const [indented = '', ...prose] = lines
  return `${indented}\n\n${prose.join('\n')}[Its neighbours](checks.md#${anchorOf(section.title)}).`
}

/** GitHub's anchor of a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
}

/** A page lies one folder deeper than what it is made of. */
function moved(text: string): string {
  return text.replace(/\]\((?!https?:)([^)]+)\)/g, (_, target: string) =>
    target.startsWith('#') ? `](../checks.md${target})` : `](../${target})`,
  )
}

function escapeTags(text: string): string {
  return text.replaceAll('<', '\\<')
}
