/** The data of the experiments: real digits, drawn shapes with their masks, and sentences from a small grammar. */
import { data, nn } from 'sluice'

/** 1,438 real handwritten digits to train, 359 to test. */
export const digits = () => data.split(data.digits(), { seed: 1 })

/** Synthetic images of five shapes. */
export const shapes = ({ samples, size = 16, tests = 200 }) => ({
  train: data.shapes({ samples, size, seed: 1 }),
  test: data.shapes({ samples: tests, size, seed: 2 }),
})

/** The masks of such images: 1 where there is a shape, of whatever kind, else 0. */
export const masks = ({ samples, size = 16, tests = 200 }) => ({
  train: maskSet(samples, size, 1),
  test: maskSet(tests, size, 2),
})

function maskSet(samples, size, seed) {
  const drawn = data.shapes({ samples, size, target: 'masks', seed })
  const gather = (indices) => {
    const { inputs, targets } = drawn.gather(indices)
    const inside = Float32Array.from(targets.data, (kind) => Math.min(1, kind))
    return { inputs, targets: { data: inside, shape: [indices.length, 1, size, size] } }
  }
  return { ...drawn, classes: undefined, targetShape: [1, size, size], gather }
}

const WORDS = {
  the: ['the ', 'a ', 'every ', 'some '],
  how: ['old ', 'red ', 'small ', 'quick ', 'very slow '],
  who: ['cat', 'bird', 'child', 'doctor', 'engine', 'tree'],
  does: [' sees ', ' follows ', ' hears ', ' forgets ', ' paints '],
  where: [' near the house', ' at night', ' in the garden', ' under the bridge'],
}

/**
 * Sentences of 12 to 64 characters as tokens: inputs [N, 64]; targets [N, 64], the next character, and -100 after the end.
 * @returns { train, test, vocabulary }
 */
export function sentences({ samples, tests = 200 }) {
  const alphabet = [...new Set([...Object.values(WORDS).flat().join(''), '.'])].sort()
  const set = (count, seed) => {
    const random = nn.generator(seed)
    const one = (words) => words[Math.floor(random() * words.length)]
    const phrase = () => one(WORDS.the) + (random() < 0.5 ? one(WORDS.how) : '') + one(WORDS.who)
    const inputs = new Int32Array(64 * count)
    const targets = new Int32Array(64 * count).fill(-100)
    for (let i = 0; i < count; i++) {
      let sentence = phrase() + one(WORDS.does) + phrase()
      while (random() < 0.5) sentence += one(WORDS.where)
      const tokens = [...`${sentence}.`].slice(0, 65).map((character) => alphabet.indexOf(character))
      inputs.set(tokens.slice(0, 64), 64 * i)
      targets.set(tokens.slice(1), 64 * i)
    }
    const shape = [count, 64]
    return data.fromArrays({ inputs: { data: inputs, shape }, targets: { data: targets, shape } })
  }
  return { train: set(samples, 1), test: set(tests, 2), vocabulary: alphabet.length }
}

/** The samples from `from` up to `to` of a batch. */
export const part = (batch, from, to) => data.sliceBatch(batch, from, to - from)

/** The first samples of a data set. */
export const first = (set, count) => set.gather(Array.from({ length: count }, (_, i) => i))

/** Images with each pixel as a square of `times` x `times` pixels. */
export function enlarged(set, times) {
  const [channels, height, width] = set.inputShape
  const inputShape = [channels, times * height, times * width]
  const gather = (indices) => {
    const { inputs, targets } = set.gather(indices)
    const pixels = new Uint8Array(inputs.data.length * times ** 2)
    const row = times * width
    for (let i = 0; i < pixels.length; i++) {
      const from = Math.floor(i / (row * times)) * width + Math.floor((i % row) / times)
      pixels[i] = inputs.data[from]
    }
    return { inputs: { ...inputs, data: pixels, shape: [indices.length, ...inputShape] }, targets }
  }
  return { ...set, inputShape, gather }
}
