/** Synthetic images, drawn from a seed, to try things out without a download. */
import seedrandom from 'seedrandom'
import { checkSeed } from '../device/seed.js'
import { ANYTHING, checkArgument, NUMBER, oneOf, options as optionsOf } from '../memory/arguments.js'
import { isPositive } from './batch.js'
import { checkIndices, type Dataset } from './dataset.js'
import { DataError } from './errors.js'

/** Is the point (x, y), in units of the radius, within the shape? */
type Inside = (x: number, y: number) => boolean

/** The classes, in their order. */
const SHAPES: Readonly<Record<string, Inside>> = {
  disc: (x, y) => x * x + y * y <= 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) <= 0.8,
  triangle: (x, y) => y <= 0.7 && y >= 2 * Math.abs(x) - 0.9,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) <= 0.3 && Math.max(Math.abs(x), Math.abs(y)) <= 1,
  ring: (x, y) => x * x + y * y <= 1 && x * x + y * y >= 0.4,
}

export interface ShapesOptions {
  /** how many images; default 1000 */
  readonly samples?: number
  /** height and width in pixels; default 32 */
  readonly size?: number
  /**
   * 'classes': the target is the class of the shape; 'masks': the target of a pixel is 1 + that class within the shape,
   * else 0; default 'classes'
   */
  readonly target?: 'classes' | 'masks'
  /** from 0 to 2^32 - 1; default 0 */
  readonly seed?: number
}

const OPTIONS = optionsOf<ShapesOptions>({
  samples: NUMBER,
  size: NUMBER,
  target: oneOf('classes', 'masks'),
  seed: ANYTHING,
})

/**
 * Synthetic images of a disc, square, triangle, cross or ring on a noisy background, in colours, places and sizes that are
 * drawn from (seed, index): inputs uint8 [N, 3, size, size] with scale 1/255; targets uint8 [N], or [N, size, size] for masks.
 * Each image is drawn when it is gathered, so any number of samples takes no memory.
 * @throws DataError      samples is not a positive whole number, or size is not a whole number from 8 on
 * @throws ArgumentError  seed is not a whole number from 0 to 2^32 - 1
 */
export function shapes(options: ShapesOptions = {}): Dataset {
  checkArgument('shapes', 'options', options, OPTIONS)
  const { samples = 1000, size = 32, target = 'classes', seed = 0 } = options
  checkSeed('shapes', seed)
  if (!isPositive(samples)) throw new DataError(`shapes: samples is ${samples}; it must be a positive whole number`)
  if (!isPositive(size) || size < 8) throw new DataError(`shapes: size is ${size}; it must be a whole number from 8 on`)
  const name = 'synthetic shapes'
  const kinds = Object.values(SHAPES)
  const plane = size * size
  const masks = target === 'masks'
  return {
    name,
    length: samples,
    inputShape: [3, size, size],
    targetShape: masks ? [size, size] : [],
    classes: kinds.length + (masks ? 1 : 0),
    gather(indices) {
      checkIndices(name, samples, indices)
      const count = indices.length
      const pixels = new Uint8Array(count * 3 * plane)
      const targets = new Uint8Array(masks ? count * plane : count)
      for (let i = 0; i < count; i++) {
        const random = seedrandom(`${seed}/${indices[i]}`)
        const kind = Math.floor(kinds.length * random())
        const drawn = draw(kinds[kind], size, random)
        pixels.set(drawn.pixels, i * 3 * plane)
        if (masks)
          targets.set(
            drawn.inside.map((is) => is * (kind + 1)),
            i * plane,
          )
        else targets[i] = kind
      }
      return {
        inputs: { data: pixels, shape: [count, 3, size, size], scale: 1 / 255 },
        targets: { data: targets, shape: masks ? [count, size, size] : [count] },
      }
    },
  }
}

function draw(isInside: Inside, size: number, random: () => number): { pixels: Uint8Array; inside: Uint8Array } {
  const plane = size * size
  const radius = size * (0.15 + 0.2 * random())
  const [cx, cy] = [0, 1].map(() => radius + (size - 2 * radius) * random())
  const angle = (random() - 0.5) / 2
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const background = [0, 1, 2].map(() => 40 + 80 * random())
  const colour = background.map((level) => level + 60 + 60 * random())
  const inside = new Uint8Array(plane)
  const pixels = new Uint8Array(3 * plane)
  for (let at = 0; at < plane; at++) {
    const x = ((at % size) + 0.5 - cx) / radius
    const y = (Math.floor(at / size) + 0.5 - cy) / radius
    inside[at] = isInside(cos * x + sin * y, cos * y - sin * x) ? 1 : 0
    const levels = inside[at] ? colour : background
    const noise = 40 * (random() - 0.5)
    for (let c = 0; c < 3; c++) pixels[c * plane + at] = Math.max(0, Math.min(255, Math.round(levels[c] + noise)))
  }
  return { pixels, inside }
}
