import uPlot from 'uplot'
import type { AlertLane, Course } from '../../../lib/course.ts'
import type { Window } from '../../../lib/verdict.ts'
import { groupsOf } from '../panels.ts'
import { laneOptions } from './lane.ts'
import { seriesData, seriesOptions } from './plot.ts'
import { currentTheme, onThemeChange } from './theme.ts'

/** All pictures: one time axis, one zoom, one cursor. */
export class Pictures {
  readonly #course: Course | null
  readonly #lanes: readonly AlertLane[]
  readonly #names: readonly string[]
  readonly #whole: Window
  readonly #plots: uPlot[] = []
  #shown: Window
  #zooming = false

  constructor(course: Course | null, lanes: readonly AlertLane[], names: readonly string[]) {
    this.#course = course
    this.#lanes = lanes
    this.#names = names
    const ends = [...(course ? [course] : []), ...lanes]
    this.#whole = {
      from: Math.min(...ends.map(({ from }) => from)),
      to: Math.max(...ends.map(({ to }) => to)),
    }
    this.#shown = this.#whole
  }

  draw(): void {
    this.#redraw()
    this.#offerZooms()
    onThemeChange(() => this.#redraw())
    const observer = new ResizeObserver(() => {
      for (const plot of this.#plots) {
        const { clientWidth } = plot.root.parentElement ?? plot.root
        if (clientWidth > 0 && clientWidth !== plot.width) plot.setSize({ width: clientWidth, height: plot.height })
      }
    })
    const [first] = document.querySelectorAll('.plot')
    if (first) observer.observe(first)
  }

  /** Made anew, since a plot keeps the colours that it was made with. */
  #redraw(): void {
    for (const plot of this.#plots.splice(0)) plot.destroy()
    const theme = currentTheme()
    const course = this.#course
    const groups = course ? groupsOf(course.series) : []
    const places = document.querySelectorAll<HTMLElement>('.plot')
    // All are as wide; asked for once, since to ask after each picture would lay out the page anew each time.
    const width = places[0]?.clientWidth ?? 0
    for (const place of places) {
      const { picture, lane } = place.dataset
      const group = groups.find(({ key }) => key === picture)
      const own = lane === undefined ? undefined : this.#lanes[Number(lane)]
      const shared = {
        width,
        theme,
        range: () => this.#range(),
        bands: course?.bands ?? [],
        names: this.#names,
      }
      if (group && course) this.#add(new uPlot(seriesOptions(group, shared), seriesData(group, course), place))
      else if (own)
        this.#add(
          new uPlot(
            laneOptions(own, shared),
            [
              [own.from / 1000, own.to / 1000],
              [null, null],
            ],
            place,
          ),
        )
    }
  }

  #add(plot: uPlot): void {
    this.#plots.push(plot)
    // For whoever tests the page: what this picture shows, by its own scale.
    const note = () => {
      const { min = 0, max = 0 } = plot.scales.x ?? {}
      plot.root.dataset.shown = `${Math.round(min * 1000)}-${Math.round(max * 1000)}`
    }
    plot.hooks.setScale = [note]
    note()
    plot.hooks.setSelect = [
      ({ select, posToVal }) => {
        if (select.width < 4) return
        this.zoom({ from: posToVal(select.left, 'x') * 1000, to: posToVal(select.left + select.width, 'x') * 1000 })
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
      },
    ]
    plot.over.addEventListener('dblclick', () => this.zoom(this.#whole))
  }

  /** Shows this stretch in every picture. */
  zoom({ from, to }: Window): void {
    if (this.#zooming || !(to - from >= 100)) return
    this.#zooming = true
    this.#shown = { from: Math.max(from, this.#whole.from), to: Math.min(to, this.#whole.to) }
    const [min, max] = this.#range()
    // Drawn so already, when the page opens.
    for (const plot of this.#plots)
      if (plot.scales.x?.min !== min || plot.scales.x.max !== max) plot.setScale('x', { min, max })
    this.#zooming = false
    for (const button of document.querySelectorAll<HTMLButtonElement>('#zooms button')) {
      const { from: start, to: end } = button.dataset
      const pressed = Number(start) === this.#shown.from && Number(end) === this.#shown.to
      button.setAttribute('aria-pressed', String(pressed))
    }
  }

  #range(): [number, number] {
    return [this.#shown.from / 1000, this.#shown.to / 1000]
  }

  /** The same by buttons: whole, scenarios, trials. */
  #offerZooms(): void {
    const place = document.getElementById('zooms')
    if (place === null || this.#plots.length === 0) return
    const margin = 1000
    const wide = ({ from, to }: Window) => ({
      from: Math.max(this.#whole.from, from - margin),
      to: Math.min(this.#whole.to, to + margin),
    })
    const stretches: [string, Window][] = [
      ['Whole run', this.#whole],
      ...(this.#course?.bands ?? [])
        .filter(({ kind }) => kind === 'scenario')
        .map((band): [string, Window] => [band.name, wide(band)]),
      ...this.#lanes.map((lane): [string, Window] => [lane.alert, wide(lane)]),
    ]
    place.hidden = false
    for (const [name, window] of stretches) {
      const button = document.createElement('button')
      button.type = 'button'
      button.textContent = name
      button.dataset.from = String(window.from)
      button.dataset.to = String(window.to)
      button.addEventListener('click', () => this.zoom(window))
      place.append(button)
    }
    this.zoom(this.#whole)
  }
}
