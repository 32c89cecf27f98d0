import uPlot from 'uplot'
import type { Band, Course } from '../../../lib/course.ts'
import { hueOf, hues, type PictureGroup, say } from '../panels.ts'
import type { Theme } from './theme.ts'

/** What all pictures have in common. */
export interface Shared {
  readonly width: number
  readonly theme: Theme
  /** What is shown of the time axis; epoch seconds. */
  readonly range: () => [number, number]
  readonly bands: readonly Band[]
  /** Services and backends; the place of each is its colour. */
  readonly names: readonly string[]
}

/** Room left of each picture, the same for all, so that their times are beneath each other. */
function gutterOf({ width }: Pick<Shared, 'width'>): number {
  return width < 500 ? 64 : 104
}

/** Room above each picture for two rows of names: scenarios and faults, and under them phases. */
const headroom = 30

export function seriesData({ series }: PictureGroup, { from, stepMs }: Course): uPlot.AlignedData {
  const length = Math.max(...series.map(({ values }) => values.length))
  const times = Array.from({ length }, (_, n) => (from + n * stepMs) / 1000)
  return [times, ...series.map(({ values }) => [...values])]
}

export function seriesOptions({ series, unit }: PictureGroup, shared: Shared): uPlot.Options {
  const { theme, bands, names } = shared
  const strokes = series.map((one) => theme.series[hueOf(one, names) % hues] ?? theme.text)
  const lines = series.map((one, place): uPlot.Series => {
    const { name, panel } = one
    const hue = hueOf(one, names)
    return {
      label: name,
      stroke: strokes[place] ?? theme.text,
      width: 1.5,
      ...(hue >= hues || name === 'offered' ? { dash: [5, 4] } : {}),
      value: (_, value, __, place) => said(place, value === null ? '–' : say(value, unit)),
      // Sentinels are few: points between gaps are all that there is.
      ...(panel === 'freshness'
        ? { spanGaps: true, points: { show: true, size: 4 } }
        : { points: { show: true, size: 3, filter: lonely } }),
    }
  })
  return {
    ...commonOptions(shared),
    height: 150,
    legend: { markers: { width: 0, fill: (_, place) => strokes[place - 1] ?? 'none' } },
    series: [{ value: (_, at, __, place) => said(place, clock(at)) }, ...lines],
    axes: [
      timeAxis(theme),
      {
        ...axis(theme),
        size: gutterOf(shared),
        values: (_, splits) => splits.map((value) => say(value, unit)),
        space: 32,
        ...(unit === 'bytes' ? { incrs: powersOfTwo } : {}),
      },
    ],
    scales: { x: { time: true, range: shared.range }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
    hooks: { drawClear: [(plot) => drawBands(plot, bands, theme)] },
  }
}

/** What the legend says at the cursor's place; nothing while the cursor is elsewhere. */
function said(place: number | null, text: string): string {
  return place === null ? '' : text
}

/** Steps of an axis in bytes: 1 MiB, 2 MiB, and so on, to 1 TiB. */
const powersOfTwo = Array.from({ length: 21 }, (_, n) => 2 ** (20 + n))

/** Values between two gaps, which no line would show. */
function lonely({ data }: uPlot, series: number): number[] {
  const values = data[series] ?? []
  const isKnown = (place: number) => values[place] !== null && values[place] !== undefined
  return [...values.keys()].filter((place) => isKnown(place) && !isKnown(place - 1) && !isKnown(place + 1))
}

export function commonOptions({ width }: Shared): Omit<uPlot.Options, 'series' | 'height'> {
  return {
    width,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), 'Etc/UTC'),
    cursor: { sync: { key: 'muster' }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
    padding: [headroom, 12, 0, 0],
  }
}

function axis(theme: Theme): uPlot.Axis {
  return {
    stroke: theme.faint,
    font: '11px system-ui, sans-serif',
    grid: { stroke: theme.line, width: 1 },
    ticks: { show: false },
    gap: 6,
  }
}

/** Hours, minutes and seconds; the date is at the top of the page. */
export function timeAxis(theme: Theme): uPlot.Axis {
  return { ...axis(theme), size: 26, space: 80, values: (_, splits) => splits.map(clock) }
}

export function laneAxis(shared: Shared): uPlot.Axis {
  return { ...axis(shared.theme), size: gutterOf(shared) }
}

function clock(at: number): string {
  return new Date(at * 1000).toISOString().slice(11, 19)
}

/** Shades scenarios, phases and faults, with their names at the top. */
export function drawBands(plot: uPlot, bands: readonly Band[], theme: Theme): void {
  const { ctx, bbox } = plot
  const ratio = devicePixelRatio
  const colors = { scenario: theme.band, phase: theme.phase, fault: theme.fault }
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, 0, bbox.width, bbox.top + bbox.height)
  ctx.clip()
  ctx.font = `${10 * ratio}px system-ui, sans-serif`
  ctx.textBaseline = 'bottom'
  // The axes leave theirs behind.
  ctx.textAlign = 'left'
  for (const [index, { kind, name, from, to }] of bands.entries()) {
    const x = plot.valToPos(from / 1000, 'x', true)
    const width = plot.valToPos(to / 1000, 'x', true) - x
    // Every other phase, so that each is seen to end.
    const isPlain = kind === 'phase' && phaseNumber(bands, index) % 2 === 0
    ctx.fillStyle = isPlain ? 'transparent' : colors[kind]
    ctx.fillRect(x, bbox.top, width, bbox.height)
    const left = Math.max(x, bbox.left)
    if (x + width <= bbox.left) continue
    const shown = fitting(ctx, name, roomUntil(plot, bands, index) - left)
    ctx.fillStyle = kind === 'fault' ? theme.red : theme.faint
    ctx.fillText(shown, left + 2 * ratio, bbox.top - (kind === 'phase' ? 2 : 14) * ratio)
  }
  ctx.restore()
}

/** A name may go on until the next one of its row begins: phases have a row of their own. */
function roomUntil({ bbox, valToPos }: uPlot, bands: readonly Band[], index: number): number {
  const { kind, from = 0 } = bands[index] ?? {}
  const next = bands.filter((one) => one.from > from && (one.kind === 'phase') === (kind === 'phase'))
  return Math.min(bbox.left + bbox.width, ...next.map((one) => valToPos(one.from / 1000, 'x', true)))
}

/** The place of a phase in its scenario, from 0. */
function phaseNumber(bands: readonly Band[], index: number): number {
  return index - 1 - bands.findLastIndex(({ kind }, at) => at < index && kind === 'scenario')
}

function fitting(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  for (let length = text.length; length > Math.min(3, text.length - 1); length -= 1) {
    const shown = length === text.length ? text : `${text.slice(0, length)}…`
    if (ctx.measureText(shown).width <= width - 4 * devicePixelRatio) return shown
  }
  return ''
}
