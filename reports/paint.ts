/** Colours a text, or returns it as it is. */
export interface Paint {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
}

/** The few colours of the terminal output. */
export function paint(enabled: boolean): Paint {
  const code = (open: number, close: number) => (text: string) =>
    enabled && text !== '' ? `\x1b[${open}m${text}\x1b[${close}m` : text
  return {
    bold: code(1, 22),
    dim: code(2, 22),
    red: code(31, 39),
    green: code(32, 39),
    yellow: code(33, 39),
    cyan: code(36, 39),
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** Whether to colour: FORCE_COLOR decides, then NO_COLOR, then whether a capable terminal is there. */
export function wantsColor(environment: Environment, isTerminal: boolean): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = environment
  if (force !== undefined) return force !== '0' && force !== 'false'
  if (no !== undefined && no !== '') return false
  return isTerminal && term !== 'dumb'
}

/** Whether a line may be redrawn; in CI nobody watches, and the log would be littered. */
export function wantsLiveLine(environment: Environment, isTerminal: boolean): boolean {
  const { CI: ci, TERM: term } = environment
  return isTerminal && term !== 'dumb' && (ci === undefined || ci === '' || ci === '0' || ci === 'false')
}
