// k6's interpreter looks globals up anew with each call.
const { imul } = Math

/**
 * Mixes 32 bits so that each input bit changes about half of the output bits.
 * Source: the finalizer of MurmurHash3 (Austin Appleby, public domain), a bijection on uint32.
 */
export function fmix32(value: number): number {
  let h = imul(value ^ (value >>> 16), 0x85ebca6b)
  h = imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
