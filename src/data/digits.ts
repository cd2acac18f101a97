/** The embedded data set: small and real, without a download. Its source and licence: digits-data.ts. */
import { type Dataset, type DatasetShape, fromArrays } from './dataset.js'
import { digitsText } from './digits-data.js'

/** The shapes that a plan needs. They are known without decoding the images. */
export const digitsShape = {
  name: 'digits',
  length: 1797,
  inputShape: [1, 8, 8],
  targetShape: [],
  classes: 10,
} as const satisfies DatasetShape

const PIXELS = 8 * 8
const LINE = PIXELS + 2

/**
 * 1797 handwritten digits: inputs uint8 [1797, 1, 8, 8], values 0 to 16 with scale 1/16; targets int32 [1797],
 * 0 to 9. Decoded at every call (milliseconds, 120 KB).
 */
export function digits(): Dataset {
  const { name, length, inputShape, classes } = digitsShape
  const pixels = new Uint8Array(length * PIXELS)
  const labels = new Int32Array(length)
  for (let sample = 0; sample < length; sample++) {
    const line = sample * LINE
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      pixels[sample * PIXELS + pixel] = Number.parseInt(digitsText[line + pixel], 17)
    }
    labels[sample] = Number(digitsText[line + PIXELS])
  }
  const inputs = { data: pixels, shape: [length, ...inputShape], scale: 1 / 16 }
  return fromArrays({ inputs, targets: { data: labels, shape: [length] }, name, classes })
}
