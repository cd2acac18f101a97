/** Public complaints about silent changes by a split or by recomputing: batch norm, dropout, contrastive losses. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Batch,
  contrastive,
  crossEntropy,
  type Device,
  Module,
  nn,
  openDevice,
  optim,
  Streamer,
  type StreamerOptions,
  type Tensor,
} from '../../src/index.js'

const SHAPE = [2, 32, 32]
const batch: Batch = {
  inputs: { data: Float32Array.from({ length: 12 * 2048 }, (_, i) => Math.sin(i * i)), shape: [12, ...SHAPE] },
  targets: { data: Int32Array.from({ length: 12 }, (_, i) => i % 3), shape: [12] },
}

class Net extends Module {
  readonly conv = new nn.Conv2d(this.device, 2, 4, 3, { padding: 1, random: nn.generator(1) })
  readonly norm = new nn.BatchNorm2d(this.device, 4)
  readonly drop = new nn.Dropout(this.device, 0.3)
  readonly fc = new nn.Linear(this.device, 4096, 3, { random: nn.generator(2) })

  forward(x: Tensor): Tensor {
    const h = this.drop.forward(this.norm.forward(this.conv.forward(x)).relu())
    return this.fc.forward(h.tanh().reshape([-1, 4096]))
  }
}

/** Budgets of these devices are whole pages. */
const PAGE = 2 ** 16

type Options = Partial<StreamerOptions> & { microBatch: number; policy?: nn.BatchNormPolicy; memory?: number | string }

/** Losses of three steps, and what the model has then. */
async function trained({ microBatch, policy = 'exact', memory = '4MiB', ...options }: Options) {
  const device = await openDevice('reference', { memory })
  const model = new Net(device)
  nn.setBatchNormPolicy(model, policy)
  const optimizer = optim.sgd(model, { learningRate: 0.1 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer, seed: 7, ...options })
  const seen: number[] = []
  for (let i = 0; i < 3; i++) seen.push((await streamer.step(batch, { microBatch })).loss)
  const plan = streamer.plan({ batch: 12, microBatch, inputShape: SHAPE })
  for (const { data } of Object.values(await model.stateDict())) seen.push(...data)
  await device.close()
  return { seen, plan }
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i])))

test('pytorch#46516, GradientAccumulator#47: batch norm sees micro-batches', async () => {
  const whole = await trained({ microBatch: 12, policy: 'micro' })
  for (const microBatch of [1, 5]) {
    const { seen } = await trained({ microBatch })
    assert.ok(distance(seen, whole.seen) < 1e-10)
  }
  const micro = await trained({ microBatch: 5, policy: 'micro' })
  assert.ok(distance(micro.seen, whole.seen) > 1e-3)
})

test('pytorch#96136, YOLO-Master#262: a value that is made again moves the running statistics twice', async () => {
  for (const policy of ['micro', 'deferred', 'exact'] as const) {
    const kept = await trained({ microBatch: 4, policy, recompute: 'never' })
    const again = await trained({
      microBatch: 4,
      policy,
      recompute: 5,
      memory: kept.plan.neededBudgetBytes - PAGE,
    })
    assert.equal(again.seen, kept.seen, policy)
  }
})

test('OLMo-core#828: values that are made again have another dropout mask', async () => {
  const kept = await trained({ microBatch: 4, policy: 'micro', recompute: 'never' })
  const again = await trained({
    microBatch: 4,
    policy: 'micro',
    recompute: 5,
    memory: kept.plan.neededBudgetBytes - PAGE,
  })
  assert.equal(again.seen, kept.seen)
})

/** Two towers. */
class Towers extends Module<[Tensor, Tensor], [Tensor, Tensor]> {
  readonly left = new nn.Linear(this.device, 5, 4, { random: nn.generator(1) })
  readonly right = new nn.Linear(this.device, 5, 4, { random: nn.generator(2) })

  forward(a: Tensor, b: Tensor): [Tensor, Tensor] {
    return [this.left.forward(a), this.right.forward(b)]
  }
}

/** InfoNCE over all pairs, in both directions, by hand. */
function infoNce(a: number[][], b: number[][], temperature: number): number {
  const unit = (rows: number[][]) => rows.map((row) => row.map((value) => value / Math.hypot(...row)))
  const [u, v] = [unit(a), unit(b)]
  const score = (i: number, j: number): number => u[i].reduce((sum, value, k) => sum + value * v[j][k], 0) / temperature
  const all = [...a.keys()]
  const terms = all.map((i) => {
    const row = Math.log(all.reduce((sum, j) => sum + Math.exp(score(i, j)), 0)) - score(i, i)
    const column = Math.log(all.reduce((sum, j) => sum + Math.exp(score(j, i)), 0)) - score(i, i)
    return (row + column) / 2
  })
  return terms.reduce((x, y) => x + y, 0) / a.length
}

test('GradCache#7, sentence-transformers#1822: a contrastive loss in micro-batches is not that of the batch', async () => {
  const n = 9
  const drawn = (seed: number) => ({
    data: Float64Array.from({ length: n * 5 }, (_, i) => Math.sin(seed * (i + 1) ** 2)),
    shape: [n, 5],
  })
  const pairs = {
    inputs: [drawn(1), drawn(2)] as [ReturnType<typeof drawn>, ReturnType<typeof drawn>],
    targets: { data: new Uint8Array(n), shape: [n] },
  }
  const run = async (microBatch: number) => {
    const device: Device = await openDevice('reference', { memory: '2MiB' })
    const model = new Towers(device)
    const towers = await Promise.all(
      [model.left, model.right].map(async ({ weight, bias }) => ({
        w: [...(await weight.data())],
        b: [...((await bias?.data()) ?? [])],
      })),
    )
    const loss = contrastive({ temperature: 0.5 })
    const streamer = new Streamer({ model, loss, optimizer: optim.sgd(model, { learningRate: 0.3 }) })
    const first = await streamer.step(pairs, { microBatch })
    const second = await streamer.step(pairs, { microBatch })
    await device.close()
    return { losses: [first.loss, second.loss], towers }
  }
  const whole = await run(n)
  const [a, b] = whole.towers.map(({ w, b }, side) =>
    Array.from({ length: n }, (_, i) =>
      Array.from({ length: 4 }, (_, o) =>
        Array.from({ length: 5 }, (_, k) => w[o * 5 + k] * pairs.inputs[side].data[i * 5 + k]).reduce(
          (x, y) => x + y,
          b[o],
        ),
      ),
    ),
  )
  assert.ok(Math.abs(whole.losses[0] - infoNce(a, b, 0.5)) < 1e-9, `${whole.losses[0]}, by hand ${infoNce(a, b, 0.5)}`)
  for (const microBatch of [1, 4]) {
    const { losses } = await run(microBatch)
    assert.ok(distance(losses, whole.losses) < 1e-10)
  }
})

test.run()
