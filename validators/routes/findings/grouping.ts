import { samples } from '../../../lib/regular-language.ts'
import { allRoutes } from '../../../lib/route-tree.ts'
import { wayTo } from '../derive.ts'
import { type Examined, type Finding, isSeverity } from './finding.ts'

/** Integrations that open one incident for each group, which then hides all but its first alert. */
const perGroup = new Set([
  'pagerduty_configs',
  'opsgenie_configs',
  'victorops_configs',
  'incidentio_configs',
  'jira_configs',
])

/** Routes whose notifications mix what the tree tells apart. */
export function mixedGroups({ file, derived, parents }: Examined): Finding[] {
  const answering = new Set(derived.filter(({ state }) => state === 'answers').map(({ route }) => route))
  return allRoutes(file.root).flatMap((route): Finding[] => {
    if (!answering.has(route) || route.groupBy.includes('...')) return []
    const found = (why: string): Finding => {
      const by = route.groupBy.length === 0 ? 'has no group_by' : `groups by ${route.groupBy.join(', ')} alone`
      return { kind: 'grouping', severity: 'noted', line: route.line, sentence: `${route.path} ${by}: ${why}` }
    }
    const integrations = file.receivers.get(route.receiver)?.integrations ?? []
    const incident = integrations.find(({ type }) => perGroup.has(type))
    const oneName = wayTo(route, parents).some(({ matchers }) =>
      matchers.some(({ name, operator }) => name === 'alertname' && operator === '='),
    )
    if (integrations.length > 0 && !route.groupBy.includes('alertname') && !oneName) {
      const what = incident ? `one incident of ${incident.type.replace('_configs', '')}` : 'one notification'
      return [found(`different alerts become ${what} of ${route.receiver}`)]
    }
    const dropped = route.matchers.find(
      ({ name, operator, language }) =>
        operator === '=~' &&
        !isSeverity(name) &&
        !route.groupBy.includes(name) &&
        samples(language, 30).texts.length > 1,
    )
    if (!dropped || integrations.length === 0) return []
    return [found(`alerts that differ in ${dropped.name}, which it matches by several values, become one notification`)]
  })
}
