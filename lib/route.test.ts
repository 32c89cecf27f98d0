import { expect, it } from 'vitest'
import { colonRoute, isPathOf, queryText, sameShape } from './route.ts'

it.each([
  ['/todos/:id', '/todos/:id'],
  ['/todos/{id}', '/todos/:id'],
  ['/todos/{todo-id}/tags/{tag}', '/todos/:todo_id/tags/:tag'],
  ['/todos/{id:int}', '/todos/:id'],
  ['/files/{*path}', '/files/:path'],
  ['/todos/<int:id>', '/todos/:id'],
  ['/todos/<id>', '/todos/:id'],
  ['/api/v1/label/:name/values', '/api/v1/label/:name/values'],
])('reads %s as %s', (route, expected) => {
  expect(colonRoute(route)).toBe(expected)
})

it('compares templates but for the names of their placeholders', () => {
  expect(sameShape('/todos/{todoId}', '/todos/:id')).toBe(true)
  expect(sameShape('/todos/{todoId}', '/todos/7')).toBe(false)
})

it('writes a query so that nothing in it can end it', () => {
  expect(queryText({ 'a b': 'x&y=z', n: 1, flag: true })).toBe('?a%20b=x%26y%3Dz&n=1&flag=true')
})

it('knows the paths of a template', () => {
  expect(isPathOf('/todos/7', '/todos/:id')).toBe(true)
  expect(isPathOf('/todos', '/todos')).toBe(true)
  expect(isPathOf('/todos/7/tags', '/todos/:id')).toBe(false)
  expect(isPathOf('/todos/', '/todos/:id')).toBe(false)
  expect(isPathOf('/items/7', '/todos/{id}')).toBe(false)
})
