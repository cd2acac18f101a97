/** Numbers as the page shows them. */
export { formatBytes, groupDigits } from '../../../dist/src/memory/bytes.js'

import { COLOURS } from '../../../dist/src/memory/timeline.js'

export { COLOURS }
export type Category = keyof typeof COLOURS

/** What each category is, in words. */
export const MEANING: Readonly<Record<Category, string>> = {
  runtime: 'the kernels themselves',
  parameter: 'the weights',
  gradient: 'one number for each weight',
  optimizer: 'moments of each weight',
  buffer: 'running statistics, the summed loss',
  store: 'kept between passes',
  input: 'images and labels',
  activation: 'what the forward keeps for the backward',
  workspace: 'scratch memory of one kernel',
}

export const percent = (share: number): string => `${(100 * share).toFixed(share >= 0.9995 ? 0 : 1)} %`

/** A colour for each layer, from the first to the last. */
export const layerColour = (layer: number, layers: number): string =>
  layer >= layers ? '#94a3b8' : `hsl(${Math.round(175 + (205 * layer) / Math.max(1, layers - 1))} 48% 55%)`
