/** The parameters of attention and of the softmax of its scores. */
import type { Dropout } from './dropout.js'
import type { Offsets } from './strides.js'

/** Attention scores [batch, queries, keys]. */
export interface AttentionRows {
  batch: number
  queries: number
  keys: number
  scale: number
  causal: boolean
  /** with a mask: where it begins for each element of the batch, and its element strides (0: broadcast) */
  mask: { starts: Offsets; strideQuery: number; strideKey: number } | null
}

/** Attention of queries [batch, queries, depth] to keys [batch, keys, depth] and values [batch, keys, width]. */
export interface Attention extends AttentionRows {
  depth: number
  width: number
  /** of the probabilities, whose positions are those in [batch, queries, keys] */
  dropout: Omit<Dropout, 'size'> | null
}
