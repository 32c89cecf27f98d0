/** Shows the buttons that copy a command. */
export function showCopies(within: ParentNode): void {
  for (const button of within.querySelectorAll<HTMLButtonElement>('button.copy')) button.hidden = false
}

/** Makes the buttons copy, those to come too. */
export function offerCopies(): void {
  showCopies(document)
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>('button.copy') : null
    const source = document.getElementById(button?.dataset.copy ?? '')
    if (button && source) void copy(source.textContent ?? '', source).then((done) => say(button, done))
  })
}

/** The clipboard may be refused to a page from a file: then the text is selected, for the reader to copy. */
async function copy(text: string, source: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    getSelection()?.selectAllChildren(source)
    return document.execCommand('copy')
  }
}

function say(button: HTMLButtonElement, done: boolean): void {
  const before = button.innerHTML
  if (button.dataset.said !== undefined) return
  button.dataset.said = ''
  button.textContent = done ? 'Copied' : 'Selected'
  setTimeout(() => {
    button.innerHTML = before
    delete button.dataset.said
  }, 1500)
}
