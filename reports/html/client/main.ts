import type { AlertLane, Course } from '../../../lib/course.ts'
import { offerCopies, showCopies } from './copy.ts'
import { keepFilters } from './filters.ts'
import { Pictures } from './pictures.ts'
import { fillOpenedRows } from './rows.ts'

/** What the page carries for its script: written by muster in the same file. */
interface Data {
  readonly course: Course | null
  readonly lanes: readonly AlertLane[]
}

const text = document.getElementById('data')?.textContent ?? '{"course":null,"lanes":[]}'
const data: Data = JSON.parse(text)

offerCopies()
fillOpenedRows(showCopies)
keepFilters()
new Pictures(data.course, data.lanes).draw()
