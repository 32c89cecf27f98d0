import type uPlot from 'uplot'
import type { AlertLane, LaneStation } from '../../../lib/course.ts'
import { commonOptions, drawBands, laneAxis, type Shared, timeAxis } from './plot.ts'
import type { Theme } from './theme.ts'

const rowHeight = 20

/** An alert's way as a row for each station: a bar for the time that is permitted, a point for when it was reached. */
export function laneOptions(lane: AlertLane, shared: Shared): uPlot.Options {
  const { theme } = shared
  const { stations, fault } = lane
  const rows = stations.map((_, row) => row)
  const label = ({ id, receiver }: LaneStation) =>
    receiver === undefined ? id : `${id.startsWith('resolved') ? '✓' : '→'} ${receiver}`
  return {
    ...commonOptions(shared),
    height: rowHeight * stations.length + 60,
    legend: { show: false },
    series: [{}, { show: false }],
    axes: [
      timeAxis(theme),
      {
        ...laneAxis(shared),
        splits: () => rows,
        values: () => stations.map((station) => shorter(label(station), shared.width < 500 ? 10 : 17)),
        grid: { show: false },
      },
    ],
    // The first station is at the top.
    scales: { x: { time: true, range: shared.range }, y: { dir: -1, range: [-0.6, stations.length - 0.4] } },
    hooks: {
      drawClear: [(plot) => drawBands(plot, [{ kind: 'fault', name: 'fault', ...fault }], theme)],
      draw: [(plot) => drawStations(plot, stations, theme)],
    },
  }
}

function drawStations(plot: uPlot, stations: readonly LaneStation[], theme: Theme): void {
  const { ctx, bbox } = plot
  const ratio = devicePixelRatio
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  for (const [row, { at, permitted }] of stations.entries()) {
    const y = plot.valToPos(row, 'y', true)
    const from = plot.valToPos(permitted.from / 1000, 'x', true)
    const to = plot.valToPos(permitted.to / 1000, 'x', true)
    const isGood = at !== null && at >= permitted.from && at <= permitted.to
    const color = isGood ? theme.accent : theme.red
    ctx.fillStyle = color
    ctx.globalAlpha = isGood ? 0.22 : 0.5
    ctx.fillRect(from, y - 5 * ratio, Math.max(2, to - from), 10 * ratio)
    ctx.globalAlpha = 1
    if (at === null) continue
    ctx.beginPath()
    ctx.arc(plot.valToPos(at / 1000, 'x', true), y, 4 * ratio, 0, 2 * Math.PI)
    ctx.fill()
  }
  ctx.restore()
}

function shorter(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
