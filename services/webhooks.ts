import type { z } from 'zod'
import { commonSabotages } from './instrumentation/faults.ts'
import { HttpClient } from './instrumentation/http-client.ts'
import { createHttpServer } from './instrumentation/http-server.ts'
import { listen } from './instrumentation/listen.ts'
import { type Running, runService, type Service } from './instrumentation/service.ts'
import { readSettings, webhooksSettings } from './instrumentation/settings.ts'
import { openDatabase } from './lib/database.ts'
import { Deliveries } from './lib/deliveries.ts'
import { Outbox } from './lib/outbox.ts'
import { startSubscriber } from './lib/subscriber.ts'

/** Delivers what todos announces in the outbox. */
function buildWebhooks(service: Service, settings: z.infer<typeof webhooksSettings>): Running {
  const database = openDatabase(settings.DATABASE)
  const outbox = new Outbox(database)
  const server = createHttpServer(service, () => {
    outbox.depth()
  })
  let stop = async () => {}

  return {
    async listen() {
      const demo = settings.SUBSCRIBER_URL === undefined ? await startSubscriber() : undefined
      const url = settings.SUBSCRIBER_URL ?? `http://127.0.0.1:${demo?.port}/`
      const subscriber = new HttpClient([url], service.telemetry, 2000)
      const deliveries = new Deliveries(service, outbox, subscriber)
      deliveries.start()
      stop = async () => {
        await deliveries.stop()
        subscriber.close()
        await demo?.close()
      }
      return { port: await listen(server, settings.PORT), ...(demo && { subscriberPort: demo.port }) }
    },
    async close() {
      await Promise.all([server.close(), stop()])
      database.close()
    },
  }
}

await runService({
  name: 'webhooks',
  settings: () => readSettings(webhooksSettings, process.env),
  faults: ['error', 'latency', 'stall', ...commonSabotages],
  routes: [{ method: 'GET', route: 'unmatched', statuses: [404] }],
  build: buildWebhooks,
})
