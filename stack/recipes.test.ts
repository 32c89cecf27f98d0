import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  binaryNames,
  buildArguments,
  cacheName,
  moduleFolder,
  recipeHash,
  recipes,
  versionFits,
  versionIn,
} from './recipes.ts'

const { k6, prometheus, promtool, amtool, timeinterval, jaeger, loki } = recipes

test('the hash depends on recipe, go.mod, go.sum and sources of our own, not on line ends or titles', () => {
  const hash = recipeHash(k6, 'mod\n', 'sum\n')
  expect(hash).toMatch(/^[0-9a-f]{12}$/)
  expect(recipeHash({ ...k6, title: 'other', coldSeconds: 1 }, 'mod\r\n', 'sum\r\n')).toBe(hash)
  const others = [
    recipeHash({ ...k6, tags: ['x'] }, 'mod\n', 'sum\n'),
    recipeHash({ ...k6, ldflags: ['-X', 'a=b'] }, 'mod\n', 'sum\n'),
    recipeHash(k6, 'mod2\n', 'sum\n'),
    recipeHash(k6, 'mod\n', 'sum2\n'),
    recipeHash(k6, 'mod\nsum\n', ''),
    recipeHash(k6, 'mod\n', 'sum\n', 'source\n'),
    recipeHash(k6, 'mod\n', 'sum\n', 'source2\n'),
  ]
  expect(new Set([hash, ...others]).size).toBe(8)
})

test.each(binaryNames)('%s has a module that requires its package, and a name for the cache', (name) => {
  const goMod = readFileSync(`${moduleFolder(name)}/go.mod`, 'utf8')
  expect(goMod).toContain(`tool ${recipes[name].package}\n`)
  expect(existsSync(`${moduleFolder(name)}/go.sum`)).toBe(true)
  expect(cacheName(name)).toMatch(new RegExp(`^${name}-${recipes[name].version}-[0-9a-f]{12}$`))
})

test('a build changes neither go.mod nor go.sum, and carries tags and version', () => {
  const args = buildArguments(prometheus, '/out')
  expect(args).toContain('-mod=readonly')
  expect(args).toContain('-tags=remove_all_sd')
  expect(args.join(' ')).toContain('version.Version=3.15.0')
})

test.each([
  [k6, 'k6 v1.8.1 (go1.26.8, linux/amd64)', '1.8.1'],
  [prometheus, 'prometheus, version 3.15.0 (branch: , revision: unknown)', '3.15.0'],
  [promtool, 'promtool, version 3.15.0 (branch: , revision: unknown)', '3.15.0'],
  [amtool, 'amtool, version 0.31.1 (branch: , revision: unknown)', '0.31.1'],
  [timeinterval, "muster's timeinterval, with alertmanager v0.31.1", '0.31.1'],
  [jaeger, '{"gitCommit":"","gitVersion":"v2.13.0","buildDate":""}', '2.13.0'],
  [jaeger, 'application version: git-commit=, git-version=v2.13.0, build-date=', '2.13.0'],
  [loki, 'usage: something else 1.2.3', undefined],
])('%# the version is read from what the program prints', (recipe, output, version) => {
  expect(versionIn(recipe, output)).toBe(version)
})

test.each([
  [k6, '1.0.0', true],
  [k6, '2.2.0', true],
  [k6, '0.57.0', false],
  [k6, '3.0.0', false],
  [jaeger, '2.9.0', false],
  [jaeger, '2.10.0', true],
  [loki, '3.7.8', true],
])('%# which versions of a user fit', (recipe, version, fits) => {
  expect(versionFits(recipe, version)).toBe(fits)
})
