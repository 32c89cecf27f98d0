import { fmix32 } from './hash.ts'

/** Numbers in [0, 1), the same for the same seed on every machine. */
export function seeded(seed: number): () => number {
  let state = fmix32(seed)
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    return fmix32(state) / 2 ** 32
  }
}
