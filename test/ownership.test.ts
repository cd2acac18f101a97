/** A caller keeps the lists and options that it passes: a later change of them has no effect on the library. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  averagePool2d,
  backward,
  broadcastTo,
  conv2d,
  convTranspose2d,
  crossEntropyLoss,
  data,
  fromHost,
  full,
  layerNorm,
  max,
  maxPool2d,
  mean,
  models,
  nn,
  ones,
  openDevice,
  optim,
  pad,
  permute,
  requireGrad,
  reshape,
  scope,
  slice,
  sum,
  type Tensor,
  tensor,
  variance,
  zeros,
} from '../src/index.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const device = await openDevice('cpu', { memory: '1MiB', threads: 1 })
const RUNS = { seed: 15, numRuns: 60 * TEST_RUNS }
const SIZE = 24

/** Overwrites all lists in a value, at any depth; frozen ones are left. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return
  for (const [key, item] of Object.entries(value)) {
    if (typeof item === 'number') Reflect.set(value, key, 1000)
    else spoil(item)
  }
}

test('a tensor has its own copy of its shape, in whichever way it was made', async () => {
  const makers: Record<string, (shape: number[]) => Tensor> = {
    zeros: (shape) => zeros(device, shape),
    ones: (shape) => ones(device, shape),
    full: (shape) => full(device, shape, 2),
    tensor: (shape) => tensor(device, new Float32Array(SIZE), shape),
    'tensor of an array': (shape) => tensor(device, new Array<number>(SIZE).fill(1), shape),
    fromHost: (shape) => fromHost(device, { data: new Uint8Array(SIZE), shape }),
    Parameter: (shape) => new nn.Parameter(device, shape),
    Buffer: (shape) => new nn.Buffer(device, shape).value,
    reshape: (shape) => reshape(zeros(device, [SIZE]), shape),
    broadcastTo: (shape) => broadcastTo(zeros(device, [1]), shape),
  }
  for (const [name, make] of Object.entries(makers)) {
    const shape = [2, 3, 4]
    const made = make(shape)
    spoil(shape)
    assert.equal(made.shape, [2, 3, 4], name)
    assert.is((await sum(made).data()).length, 1)
    assert.throws(() => Reflect.apply(Array.prototype.push, made.shape, [5]), TypeError)
    made.dispose()
  }
  const shape = [2, 3]
  const parameter = new nn.Parameter(device, shape, () => {
    shape[0] = 200
    return new Float32Array(6)
  })
  assert.equal(parameter.shape, [2, 3], 'the function that draws the values cannot change it')
})

test('if the caller enlarges a list that was passed as a shape, a kernel still writes within its tensor', async () => {
  const shape = [4]
  const small = zeros(device, shape)
  const neighbour = full(device, [64], 7)
  shape[0] = 64
  const filled = small.add(1)
  assert.equal(filled.shape, [4])
  small.device.run('fill', { size: small.size, value: 9 }, [], [small.storage('test')])
  assert.ok((await neighbour.data()).every((value) => value === 7))
})

test('changes of the values and shapes that stateDict returns have no effect', async () => {
  const layer = new nn.Linear(device, 2, 3)
  const state = await layer.stateDict()
  const before = [...state.weight.data]
  for (const { shape, data: values } of Object.values(state)) {
    assert.throws(() => Reflect.apply(Array.prototype.fill, shape, [9]), TypeError)
    values.fill(9)
  }
  assert.equal(layer.weight.shape, [3, 2])
  assert.equal([...(await layer.weight.data())], before)
})

/** Each takes a list or options, which are spoiled between forward and backward. */
const OPS: Record<string, [shape: number[], options: unknown, call: (x: Tensor, options: never) => Tensor]> = {
  sum: [[2, 3, 4], { axes: [0, 2] }, (x, options) => sum(x, options)],
  mean: [[2, 3, 4], { axes: [1] }, (x, options) => mean(x, options)],
  max: [[2, 3, 4], { axes: [0, 1], keepDims: true }, (x, options) => max(x, options)],
  variance: [[2, 3, 4], { axes: [2], correction: 0 }, (x, options) => variance(x, options)],
  reshape: [[2, 3, 4], [4, 6], (x, shape) => reshape(x, shape)],
  permute: [[2, 3, 4], [2, 0, 1], (x, axes) => permute(x, axes)],
  slice: [
    [2, 3, 4],
    [
      [0, 1],
      [2, 3, 2],
    ],
    (x, [starts, ends]: [number[], number[]]) => slice(x, starts, ends),
  ],
  pad: [
    [2, 12],
    [
      [1, 0],
      [0, 2],
    ],
    (x, widths) => pad(x, widths),
  ],
  broadcastTo: [[1, 24], [3, 24], (x, shape) => broadcastTo(x, shape)],
  conv2d: [
    [1, 2, 3, 4],
    { stride: [1, 2], padding: [1, 0], dilation: [1, 2], groups: 2 },
    (x, options) => conv2d(x, ones(device, [2, 1, 2, 2]), null, options),
  ],
  convTranspose2d: [
    [1, 2, 3, 4],
    { stride: [2, 1], padding: [1, 0], outputPadding: [1, 0], dilation: [1, 1], groups: 2 },
    (x, options) => convTranspose2d(x, ones(device, [2, 1, 2, 2]), null, options),
  ],
  maxPool2d: [[1, 2, 3, 4], { kernel: [2, 2], stride: [1, 2], padding: [1, 0] }, (x, options) => maxPool2d(x, options)],
  averagePool2d: [
    [1, 2, 3, 4],
    { kernel: [2, 2], stride: [1, 2], padding: [1, 0] },
    (x, options) => averagePool2d(x, options),
  ],
  layerNorm: [[2, 3, 4], { normalizedShape: [3, 4], eps: 0.5 }, (x, options) => layerNorm(x, null, null, options)],
}

async function gradientOf(name: string, values: readonly number[], before: (options: unknown) => void) {
  const [shape, given, call] = OPS[name]
  const options = structuredClone(given)
  const x = requireGrad(tensor(device, [...values], shape))
  scope(device, () => {
    const y = call(x, options as never)
    before(options)
    backward(sum(y.mul(y)))
  })
  const gradient = [...((await x.grad?.data()) ?? [])]
  x.grad?.dispose()
  x.dispose()
  return gradient
}

for (const name of Object.keys(OPS)) {
  test(`${name}: options that change after the forward do not reach the gradient`, async () => {
    const drawn = fc.array(fc.integer({ min: -16, max: 16 }), { minLength: SIZE, maxLength: SIZE })
    await fc.assert(
      fc.asyncProperty(drawn, async (values) => {
        const wanted = await gradientOf(name, values, () => {})
        assert.equal(await gradientOf(name, values, spoil), wanted)
      }),
      { ...RUNS, numRuns: RUNS.numRuns / 6 },
    )
  })
}

/** Each takes a list or options, which are spoiled before the layer is first used. */
const LAYERS: Record<string, [input: number[], options: unknown, make: (options: never) => nn.Module]> = {
  Conv2d: [
    [1, 2, 3, 4],
    { kernel: [2, 2], stride: [1, 2], padding: [1, 0], dilation: [1, 2], groups: 2 },
    ({ kernel, ...options }: { kernel: [number, number] }) => new nn.Conv2d(device, 2, 2, kernel, options),
  ],
  ConvTranspose2d: [
    [1, 2, 3, 4],
    { kernel: [2, 2], stride: [2, 1], padding: [1, 0], outputPadding: [1, 0], groups: 2 },
    ({ kernel, ...options }: { kernel: [number, number] }) => new nn.ConvTranspose2d(device, 2, 2, kernel, options),
  ],
  MaxPool2d: [
    [1, 2, 3, 4],
    { kernel: [2, 2], stride: [1, 2], padding: [1, 0] },
    ({ kernel, ...options }: { kernel: [number, number] }) => new nn.MaxPool2d(device, kernel, options),
  ],
  'MaxPool2d, kernel alone': [[1, 2, 3, 4], [2, 2], (kernel: [number, number]) => new nn.MaxPool2d(device, kernel)],
  AveragePool2d: [
    [1, 2, 3, 4],
    { kernel: [2, 2], stride: [1, 2], padding: [1, 0] },
    ({ kernel, ...options }: { kernel: [number, number] }) => new nn.AveragePool2d(device, kernel, options),
  ],
  LayerNorm: [[2, 3, 4], [3, 4], (shape: number[]) => new nn.LayerNorm(device, shape)],
  'models.mlp': [
    [1, 2, 3, 4],
    { inputShape: [2, 3, 4], hidden: [3] },
    (options: models.MlpOptions) => models.mlp(device, options),
  ],
  'models.convnet': [
    [1, 2, 4, 4],
    { inputShape: [2, 4, 4] },
    (options: models.ModelOptions) => models.convnet(device, options),
  ],
}

for (const [name, [input, given, make]] of Object.entries(LAYERS)) {
  test(`${name}: options that change after it was made do not reach its forward`, () => {
    const shapes = [() => {}, spoil].map((before) => {
      const options = structuredClone(given)
      const layer = make(options as never)
      before(options)
      return [scope(device, () => layer.forward(ones(device, input)).shape), layer.inputShape]
    })
    assert.equal(shapes[1], shapes[0])
  })
}

test('a data set keeps its shape and scale; its values are the array that it was made from', () => {
  const inputs = { data: Uint8Array.of(1, 2, 3, 4), shape: [2, 2], scale: 0.5 }
  const targets = { data: Uint8Array.of(0, 1), shape: [2] }
  const given = { inputs, targets, classes: 2 }
  const set = data.fromArrays(given)
  const indices = [1, 0]
  const chosen = data.subset(set, indices)
  const before = set.gather([1])
  spoil(given)
  spoil(indices)
  assert.equal(set.gather([1]), before)
  assert.equal([set.length, set.inputShape, set.targetShape, set.classes], [2, [2], [], 2])
  assert.equal(chosen.gather([0]).inputs.data, Uint8Array.of(3, 4))
  inputs.data[2] = 9
  assert.equal(set.gather([1]).inputs.data, Uint8Array.of(9, 4))
})

test('an optimizer keeps its groups, settings and betas; a loss keeps its options', async () => {
  const after = await Promise.all(
    [() => {}, spoil].map(async (before) => {
      const layer = new nn.Linear(device, 2, 3, { random: nn.generator(1) })
      const groups = [{ parameters: [layer.weight], betas: [0.5, 0.5] as const, learningRate: 0.1 }]
      const options = { betas: [0.25, 0.25] as const, eps: 0.1 }
      const optimizer = optim.adam([...groups, { parameters: [layer.bias ?? layer.weight] }], options)
      before(groups)
      before(options)
      const classes = { labelSmoothing: 0.5, ignoreIndex: 7 }
      const loss = crossEntropyLoss(classes)
      before(classes)
      scope(device, () =>
        backward(
          loss(
            layer.forward(
              tensor(device, [
                [1, 2],
                [3, 4],
              ]),
            ),
            tensor(device, [0, 2]),
          ),
        ),
      )
      optimizer.step()
      return [[...(await layer.weight.data())], [...((await layer.bias?.data()) ?? [])]]
    }),
  )
  assert.equal(after[1], after[0])
})

test.run()
