/** Resolves to true if the URL answers 200 within a second, to undefined if not (yet); never rejects. */
export async function answers(url: string): Promise<true | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) })
    await response.arrayBuffer()
    return response.status === 200 ? true : undefined
  } catch {
    return undefined
  }
}
