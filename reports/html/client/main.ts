import type { AlertLane, Course } from '../../../lib/course.ts'
import { offerCopies, showCopies } from './copy.ts'
import { keepFilters } from './filters.ts'
import { openForPaper } from './paper.ts'
import { Pictures } from './pictures.ts'
import { fillOpenedRows } from './rows.ts'

/** What the page carries for its script: written by muster in the same file. */
interface Data {
  readonly course: Course | null
  readonly lanes: readonly AlertLane[]
  /** Services and backends; the place of each is its colour. */
  readonly names: readonly string[]
}

const text = document.getElementById('data')?.textContent ?? '{"course":null,"lanes":[],"names":[]}'
const data: Data = JSON.parse(text)

offerCopies()
fillOpenedRows(showCopies)
openForPaper()
new Pictures(data.course, data.lanes, data.names).draw()
// For whoever measures; a plot draws once this script has ended.
queueMicrotask(() => performance.mark('drawn'))
// The list of checks is still to come.
document.addEventListener('DOMContentLoaded', keepFilters)
