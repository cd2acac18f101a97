/**
 * Kernels on several threads give the same bits for any number of threads. Threads cause no trouble when they do not
 * start, or when the program ends.
 */
import { execFile } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Convolution, KernelName, KernelParameters } from '../kernels/kernels.js'
import { choicePacking, maskSize } from '../kernels/packing.js'
import { reference } from '../kernels/reference/index.js'
import { instantiate, MAX_THREADS, RUNTIME_BYTES, simd, Workers } from '../kernels/simd/index.js'
import { backward } from '../src/autograd/backward.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { ArgumentError } from '../src/memory/errors.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { sgd } from '../src/optim/index.js'
import { planOf } from '../src/step/pass.js'
import { scope } from '../src/step/scope.js'
import { fromHost, tensor } from '../src/tensor/create.js'
import { noise } from './operands.js'
import { variants } from './variants.js'
import { cnnWorkload } from './workloads.js'

const [variant] = variants
const PAGES = 100
/** The longest wait for an event in these tests. */
const PATIENCE_MS = 20_000

/** A module on memory of its own, shared if there are workers. The workers have started when this resolves. */
async function open(threads: number) {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: threads > 1 })
  const assembly = instantiate(variant, memory)
  const workers = new Workers(variant, assembly, memory, threads)
  if (threads > 1) workers.start()
  await until(() => assembly.workers() === threads - 1)
  return { memory, assembly, workers }
}

async function until(happened: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!happened()) {
    if (performance.now() > end) throw new Error('this should have happened by now')
    await wait(1)
  }
}

/** The outputs of a kernel, bit for bit. */
function run<Name extends KernelName>(
  { memory, assembly }: Awaited<ReturnType<typeof open>>,
  name: Name,
  parameters: KernelParameters[Name],
  inputs: readonly Float32Array[],
  sizes: readonly number[],
): Uint32Array[] {
  let end = RUNTIME_BYTES
  const place = (values: Float32Array): number => {
    const address = end
    new Float32Array(memory.buffer, address, values.length).set(values)
    end = Math.ceil((end + values.byteLength) / 64) * 64
    return address
  }
  const addresses = inputs.map(place)
  const outputs = sizes.map((size) => place(noise(size, 9)))
  assert.ok(end + (simd[name]?.workspaceBytes?.(parameters) ?? 0) <= memory.buffer.byteLength)
  simd[name]?.run(assembly, parameters, addresses, outputs, end)
  return outputs.map((y, i) => new Uint32Array(memory.buffer, y, sizes[i]).slice())
}

const product = (m: number, k: number, n: number) => ({
  ...{ batch: 1, offsetsA: [0], offsetsB: [0], m, k, n },
  ...{ transposeA: false, transposeB: true, bias: false, accumulate: true },
})

const convolution = (channels: number, outChannels: number, stride: number, groups: number): Convolution => ({
  ...{ batch: 5, channels, height: 17, width: 13, outChannels, groups },
  ...{ outHeight: Math.floor(16 / stride) + 1, outWidth: Math.floor(12 / stride) + 1, kernelHeight: 3, kernelWidth: 3 },
  ...{ strideY: stride, strideX: stride, padY: 1, padX: 1, dilationY: 1, dilationX: 1 },
})

test('the same bits for 1, 2, 3 and 4 threads', async () => {
  const benches = await Promise.all([1, 2, 3, 4].map(open))
  const agree = <Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Float32Array[],
    ...sizes: number[]
  ): void => {
    const [alone, ...others] = benches.map((bench) => run(bench, name, parameters, inputs, sizes))
    for (const other of others) assert.equal(other, alone, `${name} ${JSON.stringify(parameters)}`)
  }
  const seen = () => benches.slice(1).every(({ assembly }) => assembly.itemsOfWorkers() > 0)
  let rounds = 0
  const end = performance.now() + PATIENCE_MS
  // A worker can be late, but not forever.
  while (!seen() || rounds < 3) {
    if (!seen() && performance.now() > end) throw new Error('the workers never did anything')
    rounds++
    for (const [m, k, n] of [
      [300, 300, 130],
      [129, 70, 257],
      [33, 513, 65],
      [1, 200, 3000],
    ]) {
      agree('matmul', product(m, k, n), [noise(m * k, 1), noise(k * n, 2)], m * n)
    }
    for (const p of [
      ...[convolution(12, 20, 1, 1), convolution(33, 17, 2, 1), convolution(12, 24, 1, 3)],
      ...[convolution(2, 9, 2, 1), { ...convolution(3, 9, 2, 1), width: 63, outWidth: 32 }],
      convolution(20, 40, 1, 1),
    ]) {
      const x = noise(p.batch * p.channels * p.height * p.width, 1)
      const w = noise((p.outChannels * p.channels * 9) / p.groups, 2)
      const dy = noise(p.batch * p.outChannels * p.outHeight * p.outWidth, 3)
      agree('convolution', { ...p, bias: false }, [x, w], dy.length)
      agree('convolutionInputGradient', { ...p, bias: false }, [dy, w], x.length)
      agree('convolutionWeightGradient', { ...p, accumulate: true }, [dy, x], w.length)
    }
    for (const padX of [0, 1]) {
      const p = { ...convolution(1, 1, 1, 1), planes: 67, outHeight: 8, outWidth: 6 + padX, padY: 0, padX }
      const windows = { ...p, kernelHeight: 2, kernelWidth: 2, strideY: 2, strideX: 2 }
      const x = noise(67 * 17 * 13, 1)
      const dy = noise(67 * windows.outHeight * windows.outWidth, 2)
      agree('maxPool', windows, [x], dy.length)
      const choices = new Float32Array(67 * choicePacking(windows).perPlane)
      agree('maxPoolChoices', windows, [x], choices.length)
      reference.maxPoolChoices(windows, [x], [choices])
      agree('maxPoolGradient', windows, [dy, choices], x.length)
      agree('averagePool', { ...windows, countPadding: true }, [x], dy.length)
      agree('averagePoolGradient', { ...windows, countPadding: false }, [dy], x.length)
    }
    for (const [batch, m, k, n] of [
      [7, 40, 33, 50],
      [16, 90, 80, 100],
    ]) {
      const offsetsA = Array.from({ length: batch }, (_, i) => batch - 1 - i)
      const p = { ...product(m, k, n), batch, offsetsA, offsetsB: new Array<number>(batch).fill(1) }
      agree('matmul', p, [noise(batch * m * k, 1), noise(2 * k * n, 2)], batch * m * n)
    }
    const softmax = { outer: 501, size: 37, inner: 1, log: false }
    agree('softmax', softmax, [noise(501 * 37, 1)], 501 * 37)
    agree('softmaxGradient', softmax, [noise(501 * 37, 1), noise(501 * 37, 2)], 501 * 37)
    const attention = { batch: 5, queries: 47, keys: 65, scale: 0.3, causal: true }
    const scores = noise(5 * 47 * 65, 1)
    const starts = [4, 0, 1, 3, 2].map((b) => b * 47 * 65)
    agree('attentionSoftmax', { ...attention, mask: null }, [scores], scores.length)
    const mask = { starts, strideQuery: 65, strideKey: 1 }
    agree('attentionSoftmax', { ...attention, mask }, [scores, noise(scores.length, 2)], scores.length)
    // a batch of one is split in halves of its keys
    for (const [batch, keys, depth] of [
      [5, 150, 9],
      [1, 400, 30],
    ]) {
      const heads = { ...attention, batch, keys, queries: 147, depth, width: 6, mask: null, dropout: null }
      const [q, k, v] = [batch * 147 * depth, batch * keys * depth, batch * keys * 6].map((size, i) => noise(size, i))
      agree('attention', heads, [q, k, v], batch * 147 * 6, batch * 147)
      const sums = noise(batch * 147, 4).map((value) => 5 + value)
      const back = [noise(batch * 147 * 6, 5), q, k, v, noise(batch * 147 * 6, 6), sums]
      agree('attentionGradient', heads, back, q.length, k.length, v.length)
    }
    const gradient = { rows: 5 * 47, size: 65, scale: 0.3 }
    agree('attentionSoftmaxGradient', gradient, [scores, noise(scores.length, 2)], scores.length)
    for (const view of [
      { outer: 5, groups: 9, inner: 1001, affineSize: 9, affineInner: 1001 },
      { outer: 1, groups: 211, inner: 203, affineSize: 203, affineInner: 1 },
      { outer: 1, groups: 35, inner: 3 * 333, affineSize: 15, affineInner: 333 },
    ]) {
      const { outer, groups, inner, affineSize } = view
      const p = { ...view, eps: 1e-5, affine: true }
      const [x, dy] = [noise(outer * groups * inner, 1), noise(outer * groups * inner, 2)]
      const [mean, variance] = [noise(groups, 3), noise(groups, 4).map(Math.abs)]
      const [gamma, beta] = [noise(affineSize, 5), noise(affineSize, 6)]
      agree('moments', view, [x], groups, groups)
      agree('normalize', p, [x, mean, variance, gamma, beta], x.length)
      agree('normalizeGradient', { ...p, fixed: false }, [dy, x, mean, variance, gamma], x.length)
      agree('normalizeScaleGradient', { ...p, accumulate: true }, [dy, x, mean, variance], affineSize)
    }
    const size = 65_537
    const [a, b, c, d] = [1, 2, 3, 4].map((seed) => noise(size, seed))
    agree('unary', { size, function: 'relu', a: 0, b: 0 }, [a], size)
    agree('unaryGradient', { size, function: 'relu', a: 0, b: 0 }, [a, b], size)
    const bits = new Float32Array(maskSize(size))
    agree('mask', { size, function: 'clamp', a: -0.5, b: 0.5 }, [a], bits.length)
    reference.mask({ size, function: 'clamp', a: -0.5, b: 0.5 }, [a], [bits])
    agree('maskGradient', { size, slope: 0.1 }, [b, bits], size)
    for (const name of ['exp', 'gelu', 'pow'] as const) {
      agree('unary', { size, function: name, a: 2.5, b: 0 }, [a.map(Math.abs)], size)
      agree('unaryGradient', { size, function: name, a: 2.5, b: 0 }, [a, b.map(Math.abs)], size)
    }
    for (const first of [12345, 2 ** 32 - 54321]) {
      agree('dropout', { size, rate: 0.3, seed: 2 ** 32 - 5, step: 3, call: 1, first }, [a], size)
    }
    const rows = { shape: [301, 217], stridesA: [217, 1], stridesB: [0, 1], function: 'sub' } as const
    agree('binary', rows, [noise(301 * 217, 1), noise(217, 2)], 301 * 217)
    agree('binary', { shape: [size], stridesA: [1], stridesB: [1], function: 'mul' }, [a, b], size)
    const quotient = { ...rows, function: 'div' } as const
    const [dy, numerator, denominator] = [noise(301 * 217, 1), noise(301 * 217, 2), noise(217, 3)]
    for (const side of [0, 1] as const) {
      agree('binaryGradient', { ...quotient, side }, [dy, numerator, denominator], dy.length)
    }
    agree('select', { ...rows, stridesCondition: [1, 0] }, [noise(301, 4), numerator, denominator], dy.length)
    agree('fill', { size, value: 2 }, [], size)
    agree('stridedCopy', { shape: [size], strides: [0], offset: 0 }, [noise(1, 1)], size)
    agree('stridedCopy', { shape: [301, 217], strides: [1, 301], offset: 0 }, [dy], dy.length)
    agree(
      'stridedCopy',
      { shape: [5, 4, 128, 33], strides: [128 * 132, 33, 132, 1], offset: 0 },
      [noise(84_480, 1)],
      84_480,
    )
    const around = { shape: [3, 151, 144], before: [0, 1, 2], outShape: [3, 153, 148], value: 7 }
    agree('pad', around, [noise(3 * 151 * 144, 1)], 3 * 153 * 148)
    agree('concat', { outer: 5, sizes: [30, 100], inner: 99 }, [noise(14_850, 1), noise(49_500, 2)], 64_350)
    agree('gradientNorm', { sizes: [300_001, 5, 65_537] }, [noise(300_001, 1), noise(5, 2), noise(65_537, 3)], 2)
    for (const inner of [1, 5]) {
      const classes = 101
      const p = { outer: 400, classes, inner, ignoreIndex: 3, labelSmoothing: 0.1, weighted: inner > 1 }
      const logits = noise(400 * classes * inner, 1)
      const targets = noise(400 * inner, 2).map((x) => Math.floor(Math.abs(x) * classes))
      const weights = p.weighted ? [noise(400, 3)] : []
      agree('crossEntropyRows', p, [logits, targets, ...weights], targets.length, targets.length)
      const scalars = [Float32Array.of(1), Float32Array.of(300)]
      agree('crossEntropyGradient', p, [...scalars, logits, targets, ...weights], logits.length)
      for (const log of [false, true]) {
        agree('softmax', { outer: 400, size: classes, inner, log }, [logits], logits.length)
        agree('softmaxGradient', { outer: 400, size: classes, inner, log }, [logits, logits], logits.length)
      }
    }
    for (const name of ['squaredError', 'binaryCrossEntropyWithLogits'] as const) {
      const p = { rows: 301, size: 217, function: name }
      const [prediction, target] = [dy, numerator]
      agree('lossRows', p, [prediction, target], 301)
      const scalars = [Float32Array.of(1), Float32Array.of(300)]
      agree('lossRowsGradient', p, [...scalars, prediction, target, noise(301, 5)], prediction.length)
    }
    const entries = { rows: 1000, width: 53, entries: 40 }
    const indices = noise(1000, 1).map((x) => Math.floor(Math.abs(x) * 41))
    agree('embedding', entries, [noise(40 * 53, 2), indices], 53_000)
    for (const accumulate of [false, true]) {
      agree('embeddingGradient', { ...entries, accumulate }, [noise(53_000, 2), indices], 40 * 53)
    }
    for (const [i, reduced] of [
      [true, false, true],
      [false, false, true],
      [true, false, false],
    ].entries()) {
      const p = { shape: [40, 41, 42], reduced, function: 'sum', scale: 0.5, accumulate: true } as const
      agree('reduce', p, [noise(40 * 41 * 42, 1)], [41, 40 * 41, 41 * 42][i])
    }
    agree('blend', { size, a: 0.5, b: 2 }, [a, b], size)
    const update = { size, learningRate: 0.1, weightDecay: 0.01, clip: false, maxNorm: 0 }
    const momentum = { ...update, dampening: 0, nesterov: true, first: false }
    agree('sgd', { ...momentum, momentum: 0 }, [a, b], size)
    agree('sgd', { ...momentum, momentum: 0.9 }, [a, b, c], size, size)
    const averages = { beta1: 0.9, beta2: 0.99, eps: 1e-8, correction1: 0.5, correction2: 0.5, decoupled: true }
    agree('adam', { ...update, ...averages }, [a, b, c.map(Math.abs), d], size, size, size)
  }
  for (const { workers } of benches) workers.close()
})

test('training: the same plan, peak and parameters for 1, 2 and 3 threads', async () => {
  const { make, weights, inputs, targets, learningRate } = cnnWorkload()
  const results = []
  for (const threads of [1, 2, 3]) {
    const device = new HeapDevice('cpu', new HeapAllocator(2 ** 26), { threads })
    const model = make(device)
    model.loadStateDict(weights)
    const optimizer = sgd(model, { learningRate })
    optimizer.zeroGrad()
    const program = () =>
      scope(device, () => {
        backward(crossEntropy(model.forward(fromHost(device, inputs)), tensor(device, targets)))
      })
    const { peakBytes } = planOf(device, program)
    for (let step = 0; step < 4; step++) {
      optimizer.zeroGrad()
      program()
      optimizer.step()
      await wait(20)
    }
    assert.is(device.memory.peakBytes, peakBytes)
    const parameters = await model.stateDict()
    results.push({ peakBytes, memory: device.memory, parameters })
    device.close()
  }
  assert.equal(results[1], results[0])
  assert.equal(results[2], results[0])
})

test('a device has 1 to 4 threads', () => {
  for (const threads of [0, -1, 1.5, Number.NaN, MAX_THREADS + 1]) {
    assert.throws(
      () => new HeapDevice('cpu', new HeapAllocator(2 ** 17), { threads }),
      (error: unknown) => error instanceof ArgumentError && error.message.includes(`cannot have ${threads} threads`),
    )
  }
})

// Start and end of workers

const workerThreads = process.getBuiltinModule('node:worker_threads')
const { Worker } = workerThreads
type Worker = InstanceType<typeof Worker>
type Arguments = ConstructorParameters<typeof Worker>

/** Run `use` while `make` replaces Node's class of workers. */
async function withWorkers(make: (...args: Arguments) => Worker, use: () => Promise<void>): Promise<void> {
  try {
    workerThreads.Worker = new Proxy(Worker, { construct: (_, args: Arguments) => make(...args) })
    await use()
  } finally {
    workerThreads.Worker = Worker
  }
}

/** A device of two threads with something to multiply. */
function multiplying(size: number) {
  const device = new HeapDevice('cpu', new HeapAllocator(2 ** 20), { threads: 2 })
  const [a, b, y] = [1, 2, 3].map((seed) => {
    const storage = device.alloc(size * size, 'input')
    device.upload(storage, noise(size * size, seed))
    return storage
  })
  const multiply = () => device.run('matmul', { ...product(size, size, size), accumulate: false }, [a, b], [y])
  return { device, multiply, read: () => device.read(y) }
}

test('workers start when kernels are large enough, and end when the device is closed', async () => {
  const started: Worker[] = []
  let ended = 0
  const make = (...args: Arguments) => {
    const worker = new Worker(...args)
    worker.once('exit', () => ended++)
    started.push(worker)
    return worker
  }
  await withWorkers(make, async () => {
    const small = multiplying(16)
    for (let i = 0; i < 1000; i++) small.multiply()
    small.device.close()
    assert.is(started.length, 0, 'small kernels start none')

    const { device, multiply } = multiplying(128)
    multiply()
    assert.is(started.length, 0, 'one kernel starts none')
    for (let i = 0; i < 200; i++) multiply()
    assert.is(started.length, 1)
    for (let i = 0; i < 200; i++) multiply()
    assert.is(started.length, 1, 'once')
    await wait(50)
    assert.is(ended, 0)
    await device.close()
    assert.is(ended, 1, 'close waits for them')
    await device.close()
  })
})

for (const [what, make] of Object.entries({
  'workers that cannot be made': () => {
    throw new Error('no more threads')
  },
  'workers that end at once': (_source: string | URL, options?: Arguments[1]) =>
    new Worker('throw new Error("refused")', options),
})) {
  test(`${what} break nothing`, async () => {
    const { device, multiply, read } = multiplying(128)
    multiply()
    const before = await read()
    await withWorkers(make, async () => {
      for (let i = 0; i < 300; i++) multiply()
      await wait(50)
      multiply()
      assert.equal(await read(), before)
    })
    device.close()
  })
}

test('an error within a kernel reaches its caller from any thread', async () => {
  const { assembly, workers } = await open(2)
  const far = PAGES * 65536 - 64
  for (let i = 0; i < 20; i++) {
    assert.throws(
      () => simd.matmul?.run(assembly, product(256, 256, 256), [far, far], [far], far),
      (error: unknown) => error instanceof WebAssembly.RuntimeError,
    )
  }
  workers.close()
})

test('a process with idle workers ends by itself', async () => {
  const script = `
    const { instantiate, simdVariants, Workers } = await import(${JSON.stringify(new URL('../kernels/simd/index.js', import.meta.url).href)})
    const [variant] = simdVariants()
    const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true })
    const assembly = instantiate(variant, memory)
    new Workers(variant, assembly, memory, 3).start()
    while (assembly.workers() < 2) await new Promise((resolve) => setTimeout(resolve, 1))
    console.log(String(assembly.workers()))`
  const flags = ['--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: PATIENCE_MS })
  assert.is(stdout, '2\n')
})

test.run()
