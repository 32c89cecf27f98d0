/** The page's colours as they are now, light or dark. */
export interface Theme {
  readonly text: string
  readonly faint: string
  readonly line: string
  readonly accent: string
  readonly red: string
  readonly band: string
  readonly phase: string
  readonly fault: string
  readonly series: readonly string[]
}

export function currentTheme(): Theme {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    text: color('text'),
    faint: color('faint'),
    line: color('line'),
    accent: color('accent'),
    red: color('red'),
    band: color('band'),
    phase: color('phase'),
    fault: color('fault'),
    series: [0, 1, 2, 3, 4, 5, 6, 7].map((n) => color(`series-${n}`)),
  }
}

/** Calls back when the colours change: by the reader's setting, and for paper. */
export function onThemeChange(each: () => void): void {
  for (const query of ['(prefers-color-scheme: dark)', 'print']) matchMedia(query).addEventListener('change', each)
}
