/** Strokes made into images as the data sets have them. */

/** Points from the top left, 0 to 1. */
export type Stroke = { x: number; y: number }[]

/** How the scanned digits were made: bitmaps of 32 x 32, and how many pixels are set in each square of 4 x 4. */
const BITMAP = 32
const BLOCK = 4
const DIGIT_PEN = 4.2

/** The strokes as an image of one digit, [1, 8, 8], 0 to 1: moved and sized to fill the bitmap, as the scanned ones do. */
export function asDigit(strokes: readonly Stroke[]): Float32Array {
  const points = strokes.flat()
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)]
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const room = BITMAP - DIGIT_PEN
  const scale = room / Math.max(0.15, right - left, bottom - top)
  const [dx, dy] = [(left + right) / 2, (top + bottom) / 2]
  const moved = strokes.map((stroke) =>
    stroke.map(({ x, y }) => ({ x: (x - dx) * scale + BITMAP / 2, y: (y - dy) * scale + BITMAP / 2 })),
  )
  const alpha = painted(moved, BITMAP, DIGIT_PEN)
  const side = BITMAP / BLOCK
  const counts = new Float32Array(side * side)
  for (let at = 0; at < alpha.length; at++) {
    const [row, column] = [Math.floor(at / BITMAP), at % BITMAP]
    if (alpha[at] > 127) counts[Math.floor(row / BLOCK) * side + Math.floor(column / BLOCK)] += 1 / (BLOCK * BLOCK)
  }
  return counts
}

/** The strokes as a shape in colour on a background with noise, [3, side, side], as the drawn ones are. */
export function asShape(strokes: readonly Stroke[], side: number, pen: number): Float32Array {
  const scaled = strokes.map((stroke) => stroke.map(({ x, y }) => ({ x: x * side, y: y * side })))
  const alpha = painted(scaled, side, pen * side)
  const plane = side * side
  const pixels = new Float32Array(3 * plane)
  // the same noise for the same pixel, so that the answer does not flicker
  let state = 1
  for (let at = 0; at < plane; at++) {
    state = (state * 48271) % 2147483647
    const noise = 40 * (state / 2147483647 - 0.5)
    const levels = alpha[at] > 127 ? [150, 170, 190] : [70, 80, 90]
    for (let c = 0; c < 3; c++) pixels[c * plane + at] = Math.max(0, Math.min(255, levels[c] + noise)) / 255
  }
  return pixels
}

/** How much of each pixel is painted, 0 to 255. */
function painted(strokes: readonly Stroke[], side: number, pen: number): Uint8Array {
  const context = new OffscreenCanvas(side, side).getContext('2d', { willReadFrequently: true })
  if (!context) return new Uint8Array(side * side)
  Object.assign(context, { lineCap: 'round', lineJoin: 'round', lineWidth: pen, strokeStyle: '#fff' })
  for (const stroke of strokes) {
    context.beginPath()
    for (const [i, { x, y }] of stroke.entries()) {
      if (i === 0) context.moveTo(x, y)
      context.lineTo(x + 0.001, y)
    }
    context.stroke()
  }
  const { data } = context.getImageData(0, 0, side, side)
  return Uint8Array.from({ length: side * side }, (_, at) => data[4 * at + 3])
}
