import { z } from 'zod'
import { parsedJson, problemsOf } from './body.ts'
import { type Answer, type Incoming, json, plain, type Reading, type Service } from './service.ts'
import { lines, statusOfText } from './text.ts'

const issueBody = z.object({
  fields: z.looseObject({
    summary: z.string().min(1).max(255).optional(),
    description: z.unknown().optional(),
    labels: z.array(z.string()).default([]),
    project: z.looseObject({ key: z.string().min(1) }).optional(),
    issuetype: z.looseObject({ name: z.string().min(1) }).optional(),
  }),
})
const searchBody = z.object({ jql: z.string() })

interface Issue {
  readonly key: string
  readonly groupLabel: string
  done: boolean
}

/**
 * Jira keeps what it is told: Alertmanager searches for the group's issue, creates or updates it, and moves it by a
 * transition of the user's. The names of these stand in the URL, `?transition=Done&transition=Reopen`; Jira itself
 * answers with those of the workflow.
 */
export function jira(): Service {
  const issues: Issue[] = []
  return {
    aside: (incoming) => aside(incoming, issues),
    read: ({ body, path }): Reading => {
      const parsed = issueBody.safeParse(parsedJson(body))
      if (!parsed.success) return { status: undefined, text: lines(body), problems: problemsOf(parsed.error) }
      const { summary, description, labels, project, issuetype } = parsed.data.fields
      const isNew = path.at(-1) === 'issue'
      return {
        status: statusOfText(summary),
        groupKey: groupLabelOf(labels),
        text: lines(summary, ...(typeof description === 'string' ? [description] : documentTexts(description))),
        problems: [
          ...(isNew && !summary ? ['fields.summary: is required'] : []),
          ...(isNew && !project ? ['fields.project: is required'] : []),
          ...(isNew && !issuetype ? ['fields.issuetype: is required'] : []),
        ],
      }
    },
    answer: ({ body, path }, problems) => {
      if (problems.length > 0) return json(400, { errorMessages: problems, errors: {} })
      if (path.at(-1) !== 'issue') return plain(204, '')
      const { labels } = issueBody.parse(parsedJson(body)).fields
      const key = `MUSTER-${issues.length + 1}`
      issues.push({ key, groupLabel: groupLabelOf(labels) ?? '', done: false })
      return json(201, { id: String(10_000 + issues.length), key, self: `/rest/api/2/issue/${key}` })
    },
  }
}

function aside({ method, path, query, body }: Incoming, issues: Issue[]): Answer | undefined {
  if (method === 'POST' && path.includes('search')) return json(200, found(body, issues))
  if (path.at(-1) !== 'transitions') return undefined
  const issue = issues.find(({ key }) => key === path.at(-2))
  if (!issue) return json(404, { errorMessages: ['Issue does not exist'], errors: {} })
  if (method === 'GET') {
    const names = query.getAll('transition')
    return json(200, { transitions: names.map((name, index) => ({ id: String(index + 1), name })) })
  }
  issue.done = !issue.done
  return plain(204, '')
}

function found(body: string, issues: readonly Issue[]) {
  const { jql = '' } = searchBody.safeParse(parsedJson(body)).data ?? {}
  const matching = issues.filter(
    ({ groupLabel, done }) => jql.includes(groupLabel) && !(done && jql.includes('statusCategory != Done')),
  )
  return {
    startAt: 0,
    maxResults: 2,
    total: matching.length,
    issues: matching.map(({ key, done }) => ({
      key,
      fields: { status: { name: done ? 'Done' : 'To Do', statusCategory: { key: done ? 'done' : 'new' } } },
    })),
  }
}

function groupLabelOf(labels: readonly string[]): string | undefined {
  return labels.find((label) => label.startsWith('ALERT{'))
}

/** The texts and links of an Atlassian document, which version 3 of the API takes as description. */
function documentTexts(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(documentTexts)
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([name, value]) =>
    typeof value === 'string' ? (name === 'text' || name === 'href' ? [value] : []) : documentTexts(value),
  )
}
