/** Fills in `${NAME}`. Throws on a name without a value, so that a typing error cannot reach a backend. */
export function render(text: string, values: Readonly<Record<string, string | number>>, file = 'template'): string {
  return text.replaceAll(/\$\{([A-Z][A-Z0-9_]*)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) throw new Error(`${file}: nothing is known by the name \${${name}}`)
    return String(value)
  })
}
