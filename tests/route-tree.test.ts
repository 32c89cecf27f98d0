import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import type { Labels } from '../lib/matcher.ts'
import { samples } from '../lib/regular-language.ts'
import { allRoutes, type Route, routesOf } from '../lib/route-tree.ts'
import { obtain } from '../stack/obtain.ts'
import { readAlertmanagerFile } from '../validators/routes/alertmanager-file.ts'
import { derive } from '../validators/routes/derive.ts'
import { root } from './harness.ts'

const folder = join(root, 'tests/routes')
const labelSetsInAll = 1000
const atATime = 4

test('a label set reaches the receivers that amtool names, in its order, on 1,000 label sets over every tree', async () => {
  const { amtool } = await obtain(['amtool'])
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yml'))
  expect(names.length).toBeGreaterThanOrEqual(5)
  const random = generator(0x5eed)
  const questions: { readonly file: string; readonly labels: Labels; readonly predicted: string }[] = []
  for (const [n, name] of names.entries()) {
    const file = join(folder, name)
    const tree = (await readAlertmanagerFile(file)).root
    const vocabulary = vocabularyOf(tree)
    const derived = derive(tree).flatMap(({ probes }) => probes.map(({ labels }) => labels))
    const share =
      Math.floor((labelSetsInAll * (n + 1)) / names.length) - Math.floor((labelSetsInAll * n) / names.length)
    for (let k = 0; k < share; k++) {
      const labels = derived[k] ?? randomLabels(vocabulary, random)
      questions.push({ file, labels, predicted: receiversOf(labels, tree) })
    }
  }
  expect(questions).toHaveLength(labelSetsInAll)
  const disagreements: string[] = []
  const queue = [...questions]
  await Promise.all(
    Array.from({ length: atATime }, async () => {
      for (let question = queue.pop(); question; question = queue.pop()) {
        const { file, labels, predicted } = question
        const args = Object.entries(labels).map(([label, value]) => `${JSON.stringify(label)}=${JSON.stringify(value)}`)
        const { stdout } = await execa(amtool, ['config', 'routes', 'test', `--config.file=${file}`, ...args], {
          timeout: 30_000,
        })
        // Warnings about old notations come before it, on the same stream.
        const answer = stdout.trim().split('\n').at(-1) ?? ''
        if (answer !== predicted) disagreements.push(`${file} ${args.join(' ')}: amtool ${answer}, muster ${predicted}`)
      }
    }),
  )
  expect(disagreements).toEqual([])
  // Agreement on label sets that all end at the root would prove little.
  const answers = new Set(questions.map(({ file, predicted }) => `${file} ${predicted}`))
  expect(answers.size).toBeGreaterThan(5 * names.length)
})

function receiversOf(labels: Labels, tree: Route): string {
  return routesOf(labels, tree)
    .map(({ receiver }) => receiver)
    .join(',')
}

/** Values by label: what matchers name, texts of their regular expressions, and slips of both. */
function vocabularyOf(tree: Route): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>([['alertname', ['Probe']]])
  for (const { matchers } of allRoutes(tree)) {
    for (const { name, language } of matchers) {
      const texts = samples(language, 30).texts
      const slips = texts.flatMap((text) => [
        `${text}x`,
        `x${text}`,
        [...text].slice(0, -1).join(''),
        text.toUpperCase(),
      ])
      values.set(name, [...(values.get(name) ?? []), ...texts, ...texts, ...texts, ...slips, 'anything'])
    }
  }
  return values
}

function randomLabels(vocabulary: ReadonlyMap<string, readonly string[]>, random: () => number): Labels {
  const labels: Record<string, string> = {}
  for (const [name, values] of vocabulary) {
    const value = values[Math.floor(random() * values.length)]
    if (random() < 0.6 && value) labels[name] = value
  }
  return labels
}

/** Numbers in [0, 1) that are the same in each run (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
