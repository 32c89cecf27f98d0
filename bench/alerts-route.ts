import { cp, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { formatDuration } from '../lib/duration.ts'
import { allRoutes } from '../lib/route-tree.ts'
import { readAlertmanagerFile } from '../validators/routes/alertmanager-file.ts'

// How long `muster alerts route` takes for a file with 10 receivers and 40 routes: node --import tsx bench/alerts-route.ts
const limitMs = 30_000
const root = new URL('..', import.meta.url).pathname
const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'))
try {
  await cp(join(root, 'tests/routes'), folder, { recursive: true })
  const { root: tree, receivers } = await readAlertmanagerFile(join(folder, 'platform.yml'))
  const begun = performance.now()
  const args = ['alerts', 'route', '--config', 'platform.yml', '--quiet']
  const { exitCode, stdout } = await execa(join(root, 'muster'), args, { cwd: folder, reject: false, timeout: 300_000 })
  const took = performance.now() - begun
  console.log(
    `${receivers.size} receivers, ${allRoutes(tree).length} routes on ${availableParallelism()} cores: ` +
      `${formatDuration(took)} (limit ${formatDuration(limitMs)}), exit code ${exitCode}`,
  )
  if (exitCode !== 0) console.log(stdout)
  if (took > limitMs || exitCode !== 0) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
