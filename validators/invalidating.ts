/** Checks without which the load was not the one declared: with one of them red, no other verdict of the run counts. */
export const invalidating: ReadonlySet<string> = new Set([
  'load.iterations',
  'load.requests',
  'load.dropped',
  'load.books',
  'load.k6',
])
