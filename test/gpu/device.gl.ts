/** The gpu device itself: the bytes that it reports always equal those that exist on the context. */
import seedrandom from 'seedrandom'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DeviceError, TensorTooLargeError } from '../../src/device/errors.js'
import { openContext } from '../../src/device/gpu/context.js'
import { GpuDevice } from '../../src/device/gpu/gpu-device.js'
import { openDevice, openVirtualDevice } from '../../src/device/open.js'
import { optim } from '../../src/index.js'
import { BudgetExceededError } from '../../src/memory/allocator.js'
import { ArgumentError } from '../../src/memory/errors.js'
import { crossEntropy } from '../../src/ops/cross-entropy.js'
import { ops } from '../../src/ops/table.js'
import { Streamer } from '../../src/stream/streamer.js'
import { empty, fromHost, tensor } from '../../src/tensor/create.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { randomBatch, residualModel } from '../fixtures.js'
import { type Account, counting } from './counting.js'
import { api, openCounted } from './form.js'

/** What only a WebGL2 context has or does. */
const onWebGl2 = api === 'webgl2' ? test : test.skip

/** The package gl does not report that a context is lost. It throws when a lost context is used. */
function isLost(context: WebGL2RenderingContext): boolean {
  try {
    return context.getParameter(context.MAX_TEXTURE_SIZE) === null || context.isContextLost()
  } catch {
    return true
  }
}

/**
 * The reported bytes equal those that exist. Buffers come and go with reads; the plan counts the most that they take.
 */
function assertExact({ memory }: GpuDevice, { textureBytes, bufferBytes }: Account, what: string): void {
  const { heldBytes, pooledBytes, budgetBytes, held } = memory
  assert.is(heldBytes - held.runtime + pooledBytes, textureBytes, what)
  assert.ok(bufferBytes <= held.runtime, what)
  assert.ok(heldBytes + pooledBytes <= budgetBytes, what)
}

/** WebGPU has nothing that deletes a program. */
function assertNothingLeft({ programs, ...rest }: Account): void {
  assert.equal(rest, { textureBytes: 0, textures: 0, bufferBytes: 0, framebuffers: 0 })
  if (api === 'webgl2') assert.is(programs, 0)
}

test('values are uploaded, go through kernels, and are read', async () => {
  const device = await openDevice('gpu', { api, memory: '1MiB' })
  const x = tensor(device, [1, -2, 3, -4, 5, -6, 7])
  const y = tensor(device, [[10], [20]])
  assert.equal([...(await x.data())], [1, -2, 3, -4, 5, -6, 7])
  assert.equal([...(await ops.relu(x).data())], [1, 0, 3, 0, 5, 0, 7])
  assert.equal(await ops.add(x, y).array(), [
    [11, 8, 13, 6, 15, 4, 17],
    [21, 18, 23, 16, 25, 14, 27],
  ])
  assert.equal(await ops.permute(ops.add(x, y), [1, 0]).array(), [
    [11, 21],
    [8, 18],
    [13, 23],
    [6, 16],
    [15, 25],
    [4, 14],
    [17, 27],
  ])
  device.close()
})

test('tensors of every size from one texel to many rows, and many reads at once', async () => {
  const { device, account } = await openCounted('64MiB')
  for (const size of [1, 3, 4, 5, 8191, 8192, 8193, 20000, 16384 * 4, 300001]) {
    const values = Float32Array.from({ length: size }, (_, i) => i)
    const x = tensor(device, values)
    assert.equal(await x.data(), values)
    x.dispose()
    assertExact(device, account, `size ${size}`)
  }
  const many = Array.from({ length: 40 }, (_, i) => tensor(device, new Float32Array(1000).fill(i)))
  const reads = many.map((x) => x.data())
  for (const x of many) x.dispose()
  const others = many.map(() => tensor(device, new Float32Array(1000).fill(-1)))
  for (const [i, values] of (await Promise.all(reads)).entries()) {
    assert.ok(
      values.every((value) => value === i),
      'a read gives the values at the time of the call',
    )
  }
  for (const x of others) x.dispose()
  assertExact(device, account, 'after many reads')
  device.close()
})

test('programs find every texel and every value of the largest tensors', async () => {
  const device = await openDevice('gpu', { api, memory: '256MiB' })
  for (const [rows, columns] of [
    [4096, 4096],
    [4093, 4091],
    [3, 2 ** 22 - 1],
  ]) {
    const values = Float32Array.from({ length: rows * columns }, (_, i) => i)
    const x = fromHost(device, { shape: [rows, columns], data: values })
    const negative = ops.neg(x)
    const ofTexels = await negative.data()
    negative.dispose()
    assert.ok(
      ofTexels.every((value, i) => value === -i),
      `texels of [${rows}, ${columns}]`,
    )
    const transposed = ops.permute(x, [1, 0])
    const ofValues = await transposed.data()
    for (const tensor of [x, transposed]) tensor.dispose()
    assert.ok(
      ofValues.every((value, i) => value === (i % rows) * columns + Math.floor(i / rows)),
      `values of [${rows}, ${columns}]`,
    )
  }
  device.close()
})

test('over 5000 ops and disposals the reported bytes equal those on the context at every step; none are left after closing', async () => {
  const { device, account } = await openCounted('150KiB')
  const random = seedrandom('bytes')
  const whole = (most: number): number => 1 + Math.floor(random() * most)
  const live: Tensor[] = []
  const any = (): Tensor => live[Math.floor(random() * live.length)]
  const make = (): Tensor =>
    tensor(
      device,
      Array.from({ length: whole(40) }, () => Array.from({ length: 24 }, random)),
    )
  const actions: (() => Tensor)[] = [
    make,
    () => ops.relu(any()),
    () => ops.mul(any(), 0.5),
    () => ops.permute(any(), [1, 0]),
    () => ops.sum(any(), { axes: 0, keepDims: true }),
    () => ops.sum(any()),
    () => ops.matmul(any(), any(), { transposeB: true }),
    () => ops.add(any(), any()),
  ]
  let [ran, refused] = [0, 0]
  for (let i = 0; ran < 5000; i++) {
    try {
      if (live.length === 0) live.push(make())
      const made = actions[Math.floor(random() * actions.length)]()
      if (made.rank === 2) live.push(made)
      else made.dispose()
      ran++
    } catch (error) {
      // shapes that do not match, or too little memory
      if (error instanceof BudgetExceededError) refused++
      else if (error instanceof Error && error.name !== 'ShapeError') throw error
    }
    assertExact(device, account, `step ${i}`)
    while (live.length > 30 || (live.length > 0 && random() < 0.3)) {
      live.splice(Math.floor(random() * live.length), 1)[0].dispose()
      assertExact(device, account, `step ${i}, freed`)
    }
  }
  assert.ok(refused > 0, 'the budget was never reached')
  if (api === 'webgl2') assert.is(account.framebuffers, 2)
  device.close()
  assertNothingLeft(account)
  console.log(`${ran} ops ran, ${refused} were refused`)
})

test('over 200 training steps the reported bytes equal those on the context at every micro-batch; none are left after closing', async () => {
  const [batch, microBatch] = [12, 5]
  const { device, account } = await openCounted('1MiB')
  const model = residualModel(device)
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model, { clipNorm: 1 }) })
  for (let step = 1; step <= 200; step++) {
    let microBatches = 0
    await streamer.step(randomBatch(batch, step), {
      microBatch,
      onMicroBatch: ({ done }) => {
        microBatches = done
        assertExact(device, account, `step ${step}, micro-batch ${done}`)
      },
    })
    assert.is(microBatches, 3)
    assertExact(device, account, `step ${step}`)
  }
  device.close()
  assertNothingLeft(account)
})

test('gpu.js makes nothing on the context: to compile all kernels takes no bytes', async () => {
  const { device, account } = await openCounted('1MiB')
  const before = { ...account }
  device.warmup()
  assert.is(account.textures, 0)
  assert.equal({ ...account, programs: 0 }, { ...before, programs: 0 })
  assert.ok(account.programs > 50, `${account.programs} programs`)
  device.close()
})

test('a new virtual gpu device holds the same bytes as a new real one', async () => {
  const { device } = await openCounted('1MiB')
  assert.equal(openVirtualDevice('gpu', { api, memory: '1MiB' }).memory, device.memory)
  device.close()
})

onWebGl2(
  'if the driver has no memory left, the error is typed, nothing is counted or committed, and the step can be tried again',
  async () => {
    const context = await openContext()
    const account = counting(context)
    const device = await openDevice('gpu', { memory: '1MiB', context })
    assert.ok(device instanceof GpuDevice)
    const model = residualModel(device)
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model) })
    const { loss } = await streamer.step(randomBatch(12, 1))
    const before = await streamer.checkpoint()
    const getError = context.getError.bind(context)
    const answer = (value: () => GLenum) => Object.defineProperty(context, 'getError', { configurable: true, value })
    answer(() => context.OUT_OF_MEMORY)
    let error: unknown
    // more samples than before, so new textures
    await streamer.step(randomBatch(20, 1)).catch((thrown: unknown) => {
      error = thrown
    })
    answer(getError)
    assert.instance(error, DeviceError)
    assert.match(String(error), 'out of memory: give a smaller budget')
    assertExact(device, account, 'after the failure')
    assert.equal(await streamer.checkpoint(), before)
    assert.ok((await streamer.step(randomBatch(20, 1))).loss < 2 * loss)
    assertExact(device, account, 'after the step')
    device.close()
  },
)

onWebGl2('when a device closes, it loses a context that it made itself, and leaves one that it was given', async () => {
  const given = await openContext()
  const canvas = OffscreenCanvas.prototype
  const { getContext } = canvas
  const made: WebGL2RenderingContext[] = []
  canvas.getContext = function (this: OffscreenCanvas, ...args: Parameters<typeof getContext>) {
    const context = getContext.apply(this, args)
    made.push(context as WebGL2RenderingContext)
    return context
  } as typeof getContext
  try {
    // a page has 16 contexts at once
    for (let round = 0; round < 24; round++) {
      const context = round % 2 === 0 ? undefined : given
      const device = await openDevice('gpu', { memory: '1MiB', context })
      assert.equal([...(await ops.square(tensor(device, [3])).data())], [9])
      await device.close()
    }
  } finally {
    canvas.getContext = getContext
  }
  assert.is(made.length, 12)
  for (const context of made) assert.ok(isLost(context))
  assert.not(isLost(given))
})

test('too little memory, too large a tensor, a closed device: typed errors', async () => {
  const refuses = async (type: abstract new (...args: never[]) => Error, attempt: () => unknown): Promise<void> => {
    try {
      await attempt()
    } catch (error) {
      assert.instance(error, type)
      return
    }
    assert.unreachable(`no ${type.name}`)
  }
  await refuses(BudgetExceededError, () => openCounted(1000))
  const { device, account } = await openCounted('1GiB')
  await refuses(ArgumentError, () => device.warmup(['nonsense'] as unknown as ['matmul']))
  await refuses(TensorTooLargeError, () => empty('test', device, [2 ** 24 + 1]))
  assert.is(account.textures, 0)
  const x = tensor(device, [1, 2])
  device.close()
  await refuses(DeviceError, () => x.data())
  await refuses(DeviceError, () => tensor(device, [1, 2]))
  await refuses(DeviceError, () => device.warmup())
  await refuses(DeviceError, () => device.commit([]))
  x.dispose()
  await device.close()
  const canvas = { getContext: () => null } as unknown as WebGL2RenderingContext
  await refuses(ArgumentError, () => openDevice('gpu', { api: 'webgl2', memory: '1MiB', context: canvas }))
})

test.run()
