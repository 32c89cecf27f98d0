import type { Band, Series } from '../../lib/course.ts'
import type { LoadProgress } from '../../lib/event.ts'
import { offeredRate } from '../../lib/load-profile.ts'
import type { Window } from '../../lib/verdict.ts'
import type { Planned } from '../scenarios.ts'
import { type Grid, rateOnGrid, rounded } from './grid.ts'

/** How one scenario was driven, as k6 told it while it ran. */
export class LoadTrack {
  readonly #planned: Planned
  /** Iterations that had ended, by moment. */
  readonly #ended: { readonly at: number; readonly iterations: number }[] = []
  /** When the load itself began, after k6's start and set-up; epoch milliseconds. */
  #begunAt: number | undefined

  constructor(planned: Planned) {
    this.#planned = planned
  }

  get name(): string {
    return this.#planned.scenario.name
  }

  /** @param at epoch milliseconds */
  note({ iterations, begunAt }: LoadProgress, at: number): void {
    this.#begunAt ??= begunAt
    this.#ended.push({ at, iterations })
  }

  series(grid: Grid, window: Window): Series[] {
    const begun = this.#begunAt ?? window.from
    const { driven } = this.#planned
    const offered = Array.from({ length: grid.length }, (_, place) => {
      const at = grid.from + place * grid.stepMs
      if (at < window.from - grid.stepMs || at > window.to + grid.stepMs) return null
      return rounded(driven.reduce((sum, { load }) => sum + offeredRate(load, at - begun), 0))
    })
    const achieved = rateOnGrid(grid, this.#steps(), window)
    return [
      { panel: 'rate', name: 'offered', values: offered },
      { panel: 'rate', name: 'achieved', values: achieved },
    ]
  }

  /** Between two lines of k6's the iterations are spread evenly, since they need not fall on the grid. */
  *#steps(): Generator<[number, number]> {
    const parts = 10
    let before = { at: this.#begunAt ?? this.#ended[0]?.at ?? 0, iterations: 0 }
    for (const now of this.#ended) {
      const each = (now.iterations - before.iterations) / parts
      for (let part = 1; part <= parts; part += 1) yield [before.at + ((now.at - before.at) * part) / parts, each]
      before = now
    }
  }

  bands(window: Window): Band[] {
    const begun = this.#begunAt ?? window.from
    const [first] = this.#planned.driven
    const phases = first?.load.phases ?? []
    return [
      { kind: 'scenario', name: this.name, ...window },
      ...(phases.length > 1
        ? phases.map(
            ({ name, fromMs, toMs }): Band => ({ kind: 'phase', name, from: begun + fromMs, to: begun + toMs }),
          )
        : []),
    ]
  }
}
