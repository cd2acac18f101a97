/**
 * Small whole numbers, several of them in one element: a mask has a bit for each element of a tensor, max pooling a choice
 * for each window. An element holds BITS bits, as a whole number that float32 holds exactly; the first are its lowest.
 */
export const BITS = 24

export interface Packing {
  /** bits of each number */
  readonly bits: number
  /** numbers in an element */
  readonly perElement: number
}

/** For numbers from 0 to `count` - 1. */
export function packingFor(count: number): Packing {
  const bits = Math.max(1, Math.ceil(Math.log2(count)))
  return { bits, perElement: Math.floor(BITS / bits) }
}

/** The choices of a plane begin with a new element, because planes are dealt to threads. */
export function choicePacking(p: { outHeight: number; outWidth: number; kernelHeight: number; kernelWidth: number }) {
  const packing = packingFor(p.kernelHeight * p.kernelWidth)
  return { ...packing, perPlane: Math.ceil((p.outHeight * p.outWidth) / packing.perElement) }
}

/** Elements of a mask of `size` bits. */
export const maskSize = (size: number): number => Math.ceil(size / BITS)
