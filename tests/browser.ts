import { existsSync } from 'node:fs'
import { execa } from 'execa'
import { type Browser, chromium } from 'playwright-core'

const executablePath = '/usr/bin/chromium'

/**
 * A real browser, without a window. Where there is none, it is installed if this is Debian and we are root.
 * @throws Error that says what to install
 */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(executablePath)) await install()
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
}

async function install(): Promise<void> {
  const remedy = `The tests of the report need a browser at ${executablePath}: install it with apt-get install chromium.`
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) throw new Error(remedy)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  try {
    await execa('apt-get', ['update'], { env })
    await execa('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], { env })
  } catch (error) {
    throw new Error(remedy, { cause: error })
  }
}
