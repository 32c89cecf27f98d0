/** How many examples are kept of one kind of problem. */
const kept = 20

/** Counts problems and keeps the first few as sentences: there may be as many as there are requests. */
export class Problems {
  readonly texts: string[] = []
  count = 0

  add(text: string): void {
    this.count += 1
    if (this.texts.length < kept) this.texts.push(text)
  }
}
