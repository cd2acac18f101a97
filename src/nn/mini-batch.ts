/** The mini-batch that a streamer runs, as the layers of a training forward see it. */
import type { Device } from '../device/device.js'
import { Slot } from '../device/slot.js'
import type { Tensor } from '../tensor/tensor.js'

/** The totals of one call of a batch norm over a mini-batch, [C] each. */
export interface Totals {
  readonly mean: Tensor
  readonly variance: Tensor
  /** the sums that gradients need; null where the statistics of the mini-batch have no gradient */
  readonly sums: { readonly sum: Tensor; readonly lean: Tensor } | null
}

/** Does a module move buffers late? */
export const movesLate = (module: object): boolean => 'endMiniBatch' in module

/** The same, when all micro-batches have run. */
export interface CallTotals extends Totals {
  /** the values of a channel in the mini-batch */
  readonly values: number
}

/** A layer that moves buffers once for each mini-batch. */
export interface MovesLate {
  /** Move the buffers. @param calls  the totals of each call of the forward, in order */
  endMiniBatch(calls: readonly CallTotals[]): void
}

export interface MiniBatch {
  /** samples in this micro-batch, in those before it, and in the mini-batch */
  readonly samples: number
  readonly before: number
  readonly all: number
  /** The totals of the next call of a layer in this micro-batch. */
  totalsFor(layer: MovesLate, needs: TotalsNeeds): Totals
}

export interface TotalsNeeds {
  readonly channels: number
  /** the values of a channel in each sample */
  readonly perSample: number
  /** Are sums for gradients needed? */
  readonly sums: boolean
}

const CURRENT = new Slot<{ miniBatch: MiniBatch | null }>(() => ({ miniBatch: null }))

/** The mini-batch of which a streamer records a training forward now, or null. */
export const miniBatchOf = (device: Device): MiniBatch | null => device.slot(CURRENT).miniBatch

/** Run `fn` as the forward of a micro-batch. */
export function inMiniBatch<T>(device: Device, miniBatch: MiniBatch, fn: () => T): T {
  const current = device.slot(CURRENT)
  current.miniBatch = miniBatch
  try {
    return fn()
  } finally {
    current.miniBatch = null
  }
}
