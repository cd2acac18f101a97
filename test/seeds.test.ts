/** Every seed is a whole number from 0 to 2^32 - 1, and no two seeds give the same result. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkOps } from '../src/autograd/gradcheck.js'
import {
  ArgumentError,
  checkGradient,
  data,
  dropout,
  models,
  mse,
  nn,
  ones,
  openDevice,
  openVirtualDevice,
  optim,
  Streamer,
} from '../src/index.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'
import { SMALL_MODELS } from './small-models.js'

const RUNS = 30 * TEST_RUNS
const LARGEST = 2 ** 32 - 1

const device = await openDevice('cpu', { memory: '8MiB', threads: 1 })
const layer = new nn.Linear(device, 2, 1)
const optimizer = optim.sgd(layer)
const digits = data.digits()

/** The update of the weights in one step, which shows the mask of its dropout. */
async function maskOfStreamer(seed: number): Promise<unknown> {
  const own = await openDevice('cpu', { memory: '256KiB', threads: 1 })
  const model = new nn.Sequential(new nn.Linear(own, 256, 1, { random: nn.generator(1) }), new nn.Dropout(own))
  const streamer = new Streamer({ model, loss: mse, optimizer: optim.sgd(model), seed })
  const zeros = (size: number) => ({ data: new Float32Array(size), shape: [64, size / 64] })
  const inputs = { ...zeros(64 * 256), data: new Float32Array(64 * 256).fill(1) }
  await streamer.step({ inputs, targets: zeros(64) })
  const values = await model.parameters()[0].data()
  own.close()
  return values
}

async function maskOfDevice(seed: number): Promise<unknown> {
  const own = await openDevice('cpu', { memory: '256KiB', threads: 1, seed })
  const mask = await dropout(ones(own, [256])).data()
  own.close()
  return mask
}

/** For each function that takes a seed: the numbers that it draws. */
const PLACES: Record<string, (seed: number) => unknown> = {
  openDevice: maskOfDevice,
  openVirtualDevice: (seed) => openVirtualDevice('cpu', { seed }).step.seed,
  'openVirtualDevice gpu': (seed) => openVirtualDevice('gpu', { seed }).step.seed,
  Streamer: maskOfStreamer,
  generator: (seed) => nn.uniform([8], nn.generator(seed)),
  'data.permutation': (seed) => data.permutation(64, seed, 0),
  'data.split': (seed) => data.split(digits, { seed }).test.gather([0, 1, 2, 3]).inputs.data,
  miniBatches: async (seed) => (await data.miniBatches(digits, { batch: 4, seed }).next()).value?.inputs.data,
  checkGradient: async (seed) => (await checkGradient((x) => x.mul(x), [[1, 2, 3]], { seed })).inputs,
  checkOps: (seed) => checkOps([], { seed }),
  ...Object.fromEntries(
    SMALL_MODELS.map(({ name, make }) => [
      `models.${name}`,
      async (seed: number) => {
        const model = make(device, seed)
        const values = await model.parameters()[0].data()
        model.dispose()
        return values
      },
    ]),
  ),
  'models.transformer': async (seed) => {
    const model = models.transformer(device, { vocabulary: 4, context: 4, width: 4, heads: 1, layers: 0, seed })
    const values = await model.places.data()
    model.dispose()
    return values
  },
}

async function errorOf(run: () => unknown): Promise<unknown> {
  try {
    await run()
  } catch (error) {
    return error
  }
  return null
}

const noSeed = fc.oneof(
  fc.constantFrom<unknown>(2 ** 32, 2 ** 32 + 1, -1, 1.5, Number.NaN, Infinity, -Infinity, 'a', '1', '', null, true),
  fc.constantFrom<unknown>([1], {}, 1n, Object.create(null), () => 1, Symbol('1')),
  fc.double().filter((value) => !Number.isInteger(value)),
  fc.integer({ min: -(2 ** 31), max: -1 }),
  fc.string(),
)

for (const [name, use] of Object.entries(PLACES)) {
  test(`${name} refuses a seed that is not valid, and leaves nothing behind`, async () => {
    const held = device.memory.heldBytes
    await fc.assert(
      fc.asyncProperty(noSeed, async (seed) => {
        const error = await errorOf(() => use(seed as number))
        assert.instance(error, ArgumentError, String(error))
        assert.match(String(error), 'is not a whole number from 0 to 4294967295')
      }),
      { seed: 4, numRuns: RUNS },
    )
    assert.is(device.memory.heldBytes, held)
  })

  if (name === 'checkOps') continue
  test(`${name}: different seeds differ, equal seeds agree, up to the largest`, async () => {
    const made = await Promise.all([0, 1, 2, 2 ** 31, LARGEST - 1, LARGEST].map(async (seed) => use(seed)))
    const distinct = new Set(made.map((value) => JSON.stringify(value)))
    assert.is(distinct.size, made.length)
    assert.equal(await use(LARGEST), made.at(-1))
  })
}

test('a default seed is 0', async () => {
  assert.is(openVirtualDevice('cpu').step.seed, 0)
  assert.is(openVirtualDevice('cpu', { seed: undefined }).step.seed, 0)
  new Streamer({ model: layer, loss: mse, optimizer, seed: undefined }).dispose()
})

test.run()
