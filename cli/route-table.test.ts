import { expect, test } from 'vitest'
import { width } from '../reports/text.ts'
import { parseAlertmanagerFile } from '../validators/routes/alertmanager-file.ts'
import { routeTable } from './route-table.ts'

const { root } = parseAlertmanagerFile(
  `route:
  receiver: default
  routes:
    - {matchers: ['namespace=~"payments(-[a-z0-9]+)?"', 'severity=critical'], receiver: payments-page, continue: true}
receivers: [{name: default}, {name: payments-page}]`,
  'am.yml',
)
const child = root.routes[0] ?? root
const rows = [
  {
    route: root,
    depth: 0,
    probe: { alertname: 'MusterProbe' },
    expected: ['default'],
    reached: ['default'],
    verdict: 'as expected',
  },
  {
    route: child,
    depth: 1,
    probe: { namespace: 'payments-a', alertname: 'MusterProbe' },
    expected: ['payments-page'],
    reached: ['default'],
    verdict: 'differs',
  },
  { route: child, depth: 1, expected: [], reached: [], verdict: 'unreachable' },
] as const

test('the tree fits into 80 columns, and says who was told instead', () => {
  const lines = routeTable(rows, 80)
  for (const line of lines) expect(width(line)).toBeLessThanOrEqual(80)
  expect(lines[1]).toMatch(/^ +1 {2}any .*default +✓$/)
  expect(routeTable(rows, 200)[2]).toMatch(
    / 4 {4}namespace=~"payments\(-\[a-z0-9\]\+\)\?" severity="critical" \(continue\) +namespace="payments-a" +default, not payments-page +differs$/,
  )
  expect(lines[3]).toMatch(/unreachable$/)
})
