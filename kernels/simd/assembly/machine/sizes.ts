/**
 * Sizes that TypeScript stores and functions of the module read by name: the sizes of a convolution and of its cut, at
 * the head of its workspace; the sizes of a pooling and of a plane, at POOL_SIZES and PLANE_STEPS. TypeScript knows the
 * fields, all of them i32, from functions that kernels/build.mjs makes of the classes.
 */

/**
 * Up to three broadcast operands of a plane: the bytes from row to row, and from number to number in a row; 0 repeats
 * one.
 */
@unmanaged
export class PlaneSteps {
  rowA: i32
  rowB: i32
  rowC: i32
  a: i32
  b: i32
  c: i32
}

/** `Pooling` of kernels/kernels.ts, without the number of planes, because threads share the planes. */
@unmanaged
export class PoolSizes {
  height: i32
  width: i32
  outHeight: i32
  outWidth: i32
  kernelHeight: i32
  kernelWidth: i32
  strideY: i32
  strideX: i32
  padY: i32
  padX: i32
  dilationY: i32
  dilationX: i32
  /**
   * the bits of a choice, the bits of all choices in a number, and the numbers that the choices of a plane take:
   * kernels/packing.ts
   */
  choiceBits: i32
  choiceEnd: i32
  choiceNumbers: i32
}

/** `Convolution` of kernels/kernels.ts. */
@unmanaged
export class Sizes {
  batch: i32
  channels: i32
  height: i32
  width: i32
  outChannels: i32
  outHeight: i32
  outWidth: i32
  kernelHeight: i32
  kernelWidth: i32
  strideY: i32
  strideX: i32
  padY: i32
  padX: i32
  dilationY: i32
  dilationX: i32
  groups: i32

  /** Channels of a group. */
  get groupChannels(): i32 {
    return this.channels / this.groups
  }

  get groupOutChannels(): i32 {
    return this.outChannels / this.groups
  }
}

/** `Blocking` of kernels/simd/machine/blocking.ts. */
@unmanaged
export class ProductSizes extends Sizes {
  depth: i32
  blockHeight: i32
  tableBytes: i32
  scratchBytes: i32
  slotCount: i32
}

/** `Cut` of kernels/simd/machine/winograd.ts. */
@unmanaged
export class WinogradSizes extends Sizes {
  depth: i32
  /** rows in a block of output channels, a multiple of 4 */
  blockHeight: i32
  slotCount: i32
}

/** `Bands` of kernels/simd/machine/bands.ts. */
@unmanaged
export class BandSizes extends Sizes {
  outRows: i32
  rows: i32
  phase: i32
  slotCount: i32
  parts: i32
  levels: i32
}

/**
 * Addresses, sizes and options of an attention: assembly/flash.ts. Distances are in bytes; scale and keepScale are the bits
 * of float32 numbers.
 */
@unmanaged
export class AttentionSizes {
  q: i32
  k: i32
  v: i32
  y: i32
  logSumExp: i32
  dy: i32
  dq: i32
  dk: i32
  dv: i32
  /** 0: none */
  mask: i32
  maskRow: i32
  maskKey: i32
  batch: i32
  queries: i32
  keys: i32
  depth: i32
  width: i32
  causal: i32
  /** the first key of the second half (or the number of keys), and the address of that half's part of dq */
  split: i32
  halfDq: i32
  /** queries in a tile of scores */
  tileRows: i32
  scale: i32
  /** the cut and the workspace of the products, a tile of scores, the workspace of a thread */
  productDepth: i32
  productHeight: i32
  productBytes: i32
  tileBytes: i32
  slotBytes: i32
  /** for dropout; keepScale 0: there is none */
  keepScale: i32
  threshold: i32
  seed: i32
  step: i32
  call: i32
  firstLow: i32
  firstHigh: i32
}
