/** A route template with its placeholders as journeys write them: `{id}`, `{id:int}` and `<int:id>` become `:id`. */
export function colonRoute(route: string): string {
  if (!/[{<]/.test(route)) return route
  return route
    .replace(/\{\*?([^{}/:]+)[^{}/]*\}/g, (_, name: string) => `:${word(name)}`)
    .replace(/<(?:[^<>/:]+:)?([^<>/:]+)>/g, (_, name: string) => `:${word(name)}`)
}

/** Names of path parameters are words. */
function word(name: string): string {
  return name.replace(/\W+/g, '_')
}

/** True if two templates differ in the names of their placeholders at most. */
export function sameShape(one: string, other: string): boolean {
  return shape(one) === shape(other)
}

function shape(route: string): string {
  return colonRoute(route).replace(/:\w+/g, ':')
}

/** `?a=1&b=two`, each part encoded. */
export function queryText(query: Readonly<Record<string, string | number | boolean>>): string {
  const parts = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  return `?${parts.join('&')}`
}

/** True if a path without its query is one of a template, such as `/todos/7` of `/todos/:id`. */
export function isPathOf(path: string, route: string): boolean {
  const [parts, wanted] = [path.split('/'), colonRoute(route).split('/')]
  return parts.length === wanted.length && wanted.every((part, n) => fits(parts[n] ?? '', part))
}

function fits(part: string, wanted: string): boolean {
  return wanted.includes(':') ? part !== '' : part === wanted
}
