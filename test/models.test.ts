/**
 * The models against PyTorch 1.13 in float64, from the same weights and mini-batch: models.json, which models.py prints, has
 * the loss of each, and for each parameter by its name the sum of gradient times `spread` and the norm of the gradient.
 */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  backward,
  type Module,
  models,
  openDevice,
  openVirtualDevice,
  optim,
  Streamer,
  scope,
  tensor,
} from '../src/index.js'
import { TEST_RUNS } from './fixtures.js'
import { SMALL_MODELS, type SmallModel, smallBatch, spread } from './small-models.js'
import { MODEL_FLOAT32, MODEL_FLOAT64 } from './tolerances.js'

const recorded: Record<
  string,
  { float32: number; loss: number; gradients: Record<string, [sum: number, norm: number]> }
> = JSON.parse(readFileSync(new URL('../../test/models.json', import.meta.url), 'utf8'))

/** The weights of models.py. */
function fill(model: Module): void {
  for (const [name, parameter] of model.namedParameters()) {
    const { shape, size } = parameter
    const values = spread(
      size,
      [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0),
    )
    const scale = Math.sqrt((3 * shape[0]) / size)
    const middle = name.endsWith('weight') ? 0.3 : 0
    parameter.set(values.map((value) => (shape.length > 1 ? value * scale : value / 4 + middle)))
  }
}

async function compare(kind: 'reference' | 'cpu', small: SmallModel, limit: number): Promise<number> {
  const { name, make, loss } = small
  const { inputs, targets } = smallBatch(small, 4)
  const device = await openDevice(kind, { memory: '24MiB', threads: 1 })
  const model = make(device)
  fill(model)
  const found = scope(device, () => {
    const value = loss(
      model.forward(tensor(device, inputs.data, inputs.shape)),
      tensor(device, targets.data, targets.shape),
    )
    backward(value)
    return value
  })
  const { loss: wanted, gradients } = recorded[name]
  assert.equal([...model.namedParameters().keys()].sort(), Object.keys(gradients).sort(), 'names')
  let worst = Math.abs((await found.item()) - wanted) / Math.abs(wanted)
  const most = Math.max(...Object.values(gradients).map(([, norm]) => norm))
  for (const [key, parameter] of model.namedParameters()) {
    const gradient = (await parameter.grad?.data()) ?? []
    const weights = spread(parameter.size, 3)
    const sum = Array.from(gradient).reduce((sum, value, i) => sum + value * weights[i], 0)
    const norm = Math.hypot(...gradient)
    const [wantedSum, wantedNorm] = gradients[key]
    const error = Math.max(Math.abs(sum - wantedSum), Math.abs(norm - wantedNorm)) / Math.max(wantedNorm, most / 1000)
    worst = Math.max(worst, error)
    assert.ok(error <= limit, `${key}: sum ${sum} and norm ${norm}, and PyTorch has ${wantedSum} and ${wantedNorm}`)
  }
  assert.ok(worst <= limit, `the loss is ${wanted}`)
  device.close()
  return worst
}

for (const small of SMALL_MODELS) {
  test(`${small.name}: names, loss and gradients are those of PyTorch`, async () => {
    const worst = [
      await compare('reference', small, MODEL_FLOAT64),
      await compare('cpu', small, Math.max(MODEL_FLOAT32, 4 * recorded[small.name].float32)),
    ]
    if (process.env.SHOW) console.log(small.name, worst)
  })

  // the deepest models take half a minute, so they train only in longer runs of the tests
  if (TEST_RUNS === 1 && /resnet101|amoebanet for/.test(small.name)) continue
  test(`${small.name} trains on reference and cpu in micro-batches, as planned`, async () => {
    const { make, loss, inputShape, targetShape } = small
    const batch = smallBatch(small, 6)
    for (const kind of ['reference', 'cpu'] as const) {
      const device = await openDevice(kind, { memory: '24MiB', threads: 1 })
      const model = make(device, 1)
      const streamer = new Streamer({ model, loss, optimizer: optim.adam(model, { learningRate: 0.002 }) })
      const losses: number[] = []
      for (let i = 0; i < 5; i++) {
        const step = await streamer.step(batch, { microBatch: 4 })
        losses.push(step.loss)
        assert.is(step.peakBytes, step.plannedPeakBytes)
      }
      assert.ok(losses[4] < losses[0], `${kind}: ${losses}`)
      const virtual = make(openVirtualDevice(kind, { memory: '24MiB' }), 1)
      const planner = new Streamer({ model: virtual, loss, optimizer: optim.adam(virtual) })
      const plan = planner.plan({ batch: 6, microBatch: 4, inputShape, targetShape })
      assert.is(plan.plannedPeakBytes, streamer.plan({ batch: 6, microBatch: 4, targetShape }).plannedPeakBytes)
      device.close()
    }
  })
}

test('every model has its recorded numbers, and every model of the command line is among them', () => {
  assert.equal(Object.keys(recorded).sort(), SMALL_MODELS.map(({ name }) => name).sort())
  const plain = ['mlp', 'lenet', 'convnet']
  assert.equal(
    Object.keys(models.MODELS).filter((name) => !plain.includes(name) && !(name in recorded)),
    [],
  )
})

const refused = (make: () => unknown, says: RegExp): void => {
  assert.throws(make, (error: unknown) => error instanceof Error && says.test(error.message), String(says))
}

test('sizes that a model cannot have are refused, and leave nothing behind', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  const before = device.memory.heldBytes
  refused(() => models.vgg16(device, { inputShape: [3, 16, 32], width: 1 }), /vgg16: inputShape \[3, 16, 32\] must be/)
  refused(() => models.amoebanet(device, { layers: 4 }), /amoebanet: layers is 4; it must be a multiple of 3/)
  refused(() => models.amoebanet(device, { filters: 12 }), /filters is 12; it must be a multiple of 8/)
  refused(() => models.amoebanet(device, { inputShape: [3, 10, 8] }), /the sides must be multiples of 4/)
  refused(() => models.unet(device, { inputShape: [3, 24, 24] }), /with 4 levels the sides must be multiples of 16/)
  refused(() => models.gpt(device, { width: 10, heads: 3 }), /3 heads do not divide the width 10/)
  refused(() => models.lstm(device, { inputShape: [3] }), /must be \[T, features\]/)
  refused(
    () => Reflect.apply(models.resnet18, null, [device, { form: 'mnist' }]),
    /form is 'mnist'; it must be 'cifar' or/,
  )
  for (const name of ['resnet18', 'vgg16', 'mobilenet', 'amoebanet', 'unet', 'gpt'] as const) {
    refused(() => Reflect.apply(models[name], null, [device, {}]), /budget/)
    assert.is(device.memory.heldBytes, before, name)
  }
})

test.run()
