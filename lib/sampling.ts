/**
 * Whether a journey asks for a request to be traced (the W3C flag). The answer follows from the trace id alone, by its
 * scatter word, which is a hash of all the rest: k6 and the validators come to the same set without a record of it.
 * @param scatter the third of the trace id's four words, a uint32
 * @param share of requests that are traced, 0 to 1
 */
export function isScatterSampled(scatter: number, share: number): boolean {
  return scatter < share * 2 ** 32
}

/**
 * The same of a whole trace id, as 32 hexadecimal digits. It holds of ids that muster made; others are not told apart.
 * @param share of requests that are traced, 0 to 1
 */
export function isSampled(traceId: string, share: number): boolean {
  return isScatterSampled(Number.parseInt(traceId.slice(16, 24), 16), share)
}
