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

const ROWS = 8
const PIXELS = ROWS * 8
/** Characters of a row, and of an image with its label and the end of its line. */
const WORD = 5
const LINE = ROWS * WORD + 2
const FIRST_CHARACTER = 32

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
    for (let row = 0; row < ROWS; row++) {
      let number = 0
      for (let i = 0; i < WORD; i++)
        number = 94 * number + digitsText.charCodeAt(line + row * WORD + i) - FIRST_CHARACTER
      for (let pixel = 7; pixel >= 0; pixel--) {
        pixels[sample * PIXELS + row * 8 + pixel] = number % 17
        number = Math.floor(number / 17)
      }
    }
    labels[sample] = Number(digitsText[line + ROWS * WORD])
  }
  const inputs = { data: pixels, shape: [length, ...inputShape], scale: 1 / 16 }
  return fromArrays({ inputs, targets: { data: labels, shape: [length] }, name, classes })
}
