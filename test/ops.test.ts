/**
 * Every op of the table: agreement of devices, gradients, errors, memory. An op is tested by being in the
 * table; only its shape errors are listed here. Values that depend on conventions are in conventions.test.ts.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import type { Device } from '../src/device/device.js'
import { openDevice } from '../src/device/open.js'
import { BudgetExceededError } from '../src/memory/allocator.js'
import { ArgumentError } from '../src/memory/errors.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { apply } from '../src/ops/op.js'
import { ops, opTable } from '../src/ops/table.js'
import { noGrad, tapeOf } from '../src/ops/tape.js'
import { fc } from './property.js'
import '../src/ops/chain.js'
import { scope } from '../src/step/scope.js'
import { arange } from '../src/tensor/arange.js'
import { full, requireGrad, tensor, zeros } from '../src/tensor/create.js'
import { DeviceMismatchError, DisposedError, ShapeError } from '../src/tensor/errors.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { FailingAllocator, StrictDevice } from './devices.js'
import { TEST_RUNS } from './fixtures.js'
import {
  assertAgree,
  assertClose,
  assertPeakIsPlanned,
  type Drawn,
  describe,
  disposeGradients,
  forwardBackward,
  hasGradient,
  outcome,
  samplesOf,
  upload,
  weightsFor,
} from './outcomes.js'
import { ADJOINT, float32Tolerance, SPLIT_GRADIENT } from './tolerances.js'

const MEMORY = 1 << 20
const RUNS = { seed: 20260, numRuns: 8 }

const cpu = await openDevice('cpu', { memory: MEMORY })
const reference = await openDevice('reference', { memory: MEMORY })
const strict = new StrictDevice('reference', new HeapAllocator(MEMORY))

const differentiable = opTable.filter((op) => op.gradients.some((gradient) => gradient !== null))

/** The error that `fn` throws, or null. */
function caught(fn: () => unknown): Error | null {
  try {
    fn()
    return null
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
}

test('values and gradients on cpu agree with reference; gradients have the shape of their inputs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
      for (const [op, drawn] of samplesOf(opTable, seed)) {
        const seen = await outcome(cpu, op, drawn)
        assertAgree(op, drawn, seen, await outcome(reference, op, drawn), float32Tolerance)
      }
    }),
    RUNS,
  )
})

test('a device that forbids aliasing and fills outputs with NaN gives the same', async () => {
  for (const [op, drawn] of samplesOf(opTable)) {
    assert.equal(await outcome(strict, op, drawn), await outcome(reference, op, drawn), describe(op, drawn))
  }
})

test('ops that are linear: <A x, c> is <x, A transposed c>', async () => {
  const at = (drawn: Drawn, input: number, values: number[]): Drawn => ({
    ...drawn,
    points: drawn.points.map((point, i) => (i === input ? { ...point, values } : point)),
  })
  for (const [op, drawn] of samplesOf(opTable)) {
    for (const input of op.linear ?? []) {
      if (!drawn.points[input]) continue
      const { values } = drawn.points[input]
      const { y, gradients } = await outcome(reference, op, drawn)
      const { y: constant } = await outcome(
        reference,
        op,
        at(
          drawn,
          input,
          values.map(() => 0),
        ),
      )
      const forth = weightsFor(y.length).reduce((sum, c, i) => sum + c * (y[i] - constant[i]), 0)
      const place = drawn.points.slice(0, input).filter((_, i) => hasGradient(op, i)).length
      const back = values.reduce((sum, x, i) => sum + x * gradients[place].values[i], 0)
      assert.ok(
        Math.abs(forth - back) <= ADJOINT * Math.max(1, Math.abs(forth)),
        `${describe(op, drawn)}: ${forth}, ${back}`,
      )
    }
  }
})

// Memory

test('held bytes return to their former number, and nothing stays on the tape', () => {
  for (const [op, drawn] of samplesOf(opTable)) {
    const before = cpu.memory.heldBytes
    scope(cpu, () => disposeGradients(forwardBackward(cpu, op, drawn).leaves))
    assert.is(cpu.memory.heldBytes, before, `${describe(op, drawn)}: forward and backward`)
    scope(cpu, () => {
      apply(
        op,
        upload(cpu, drawn).map((input, i) => (hasGradient(op, i) ? requireGrad(input) : input)),
        drawn.options,
      )
    })
    assert.is(cpu.memory.heldBytes, before, `${describe(op, drawn)}: forward without backward`)
    assert.is(tapeOf(cpu).length, 0)
  }
})

test('a failed allocation leaves the held bytes unchanged, and its error names the op', () => {
  const allocator = new FailingAllocator(MEMORY)
  const device = new StrictDevice('reference', allocator)
  const before = device.memory.heldBytes
  for (const [op, drawn] of samplesOf(opTable)) {
    for (let n = 1; ; n++) {
      allocator.remaining = n
      const error = caught(() => scope(device, () => disposeGradients(forwardBackward(device, op, drawn).leaves)))
      allocator.remaining = Infinity
      assert.is(device.memory.heldBytes, before, `${describe(op, drawn)}: allocation ${n} failed`)
      if (error === null) break
      assert.instance(error, BudgetExceededError)
      assert.match(error.message, /^[a-z0-9]+( gradient)?: /i)
    }
  }
})

test('a rehearsal of forward and backward predicts the peak to the byte', () => {
  for (const device of [cpu, reference, strict]) {
    const standing = [64, 3000, 64].map((size) => zeros(device, [size]))
    standing[1].dispose()
    for (const [op, drawn] of samplesOf(opTable)) assertPeakIsPlanned(device, op, drawn)
    for (const tensor of standing) tensor.dispose()
  }
})

test('backward frees saved tensors as it goes', () => {
  scope(cpu, () => {
    const x = requireGrad(full(cpu, [64, 64], 0.5))
    let y = x
    for (let i = 0; i < 8; i++) {
      const next = ops.sigmoid(y)
      if (y !== x) y.dispose()
      y = next
    }
    const loss = ops.sum(y)
    y.dispose()
    const held = cpu.memory.heldBytes
    cpu.allocator.resetPeak()
    backward(loss)
    const one = 64 * 64 * 4
    assert.ok(
      cpu.memory.peakHeldBytes <= held + one + 2 * 64,
      'dy and the seed beside the saved tensors: each op writes dx over dy',
    )
    assert.ok(
      cpu.memory.heldBytes <= cpu.memory.held.runtime + 2 * one + 3 * 64,
      'x, its gradient and the loss are left',
    )
    x.grad?.dispose()
  })
})

test('the nodes that a scope recorded end with it, even if its backward used up older nodes', () => {
  const before = cpu.memory.heldBytes
  const x = requireGrad(full(cpu, [16], 1))
  const h = ops.exp(x)
  scope(cpu, () => {
    backward(ops.sum(ops.exp(h)))
    ops.exp(x)
  })
  assert.is(tapeOf(cpu).length, 0)
  disposeGradients([x])
  h.dispose()
  x.dispose()
  assert.is(cpu.memory.heldBytes, before)
})

test('a forward outside any scope leaves nothing on the tape, and no byte, once its results are disposed', () => {
  const [x, w] = [full(cpu, [4, 8], 0.5), requireGrad(full(cpu, [3, 8], 0.5))]
  const before = cpu.memory.heldBytes
  for (let call = 0; call < 3; call++) {
    const h = ops.linear(x, w)
    const y = ops.sigmoid(h)
    const unused = ops.exp(h)
    h.dispose()
    y.dispose()
    assert.is(tapeOf(cpu).length, 2, 'the branch that still exists')
    unused.dispose()
    assert.is(cpu.memory.heldBytes, before)
    assert.is(tapeOf(cpu).length, 0)
  }
  let y = ops.neg(w)
  for (let i = 0; i < 1e5; i++) {
    const next = ops.reshape(y, y.shape)
    y.dispose()
    y = next
  }
  assert.is(tapeOf(cpu).length, 1e5 + 1, 'all are needed while the last result exists')
  y.dispose()
  assert.is(tapeOf(cpu).length, 0)
  for (const leaf of [x, w]) leaf.dispose()
})

/** Any graph of ops on two leaves. The gradient of a living tensor may still need one that was disposed early. */
test('disposing results in any order frees the unreachable nodes, and changes no gradient', async () => {
  const UNARY = [ops.sigmoid, ops.square, ops.neg, ops.relu, (x: Tensor) => ops.reshape(x, [3, 2])]
  const BINARY = [ops.add, ops.mul, ops.maximum]
  const calls = fc.array(fc.tuple(fc.nat(7), fc.nat(), fc.nat()), { minLength: 1, maxLength: 12 })
  const orders = fc.record({
    early: fc.array(fc.boolean(), { minLength: 14, maxLength: 14 }),
    shift: fc.nat(),
    end: fc.nat(),
  })
  await fc.assert(
    fc.asyncProperty(calls, orders, async (drawn, { early, shift, end }) => {
      const held = cpu.memory.heldBytes
      const run = async (isEarly: (i: number) => boolean, scoped: boolean): Promise<number[][]> => {
        const leaves = [1, 2].map((k) => requireGrad(full(cpu, [3, 2], k / 4)))
        const all: Tensor[] = [...leaves]
        const program = () => {
          for (const [call, a, b] of drawn) {
            const [first, second] = [all[a % all.length], all[b % all.length]]
            all.push(call < 5 ? UNARY[call](first) : BINARY[call - 5](first, second))
          }
          const loss = ops.sum(all[2 + (end % drawn.length)])
          const order = all.map((_, i) => (i + shift) % all.length).filter((i) => i >= 2 && isEarly(i))
          for (const i of order) all[i].dispose()
          backward(loss)
          loss.dispose()
        }
        if (scoped) scope(cpu, program)
        else program()
        const gradients = await Promise.all(leaves.map(async ({ grad }) => [...((await grad?.data()) ?? [])]))
        for (const tensor of all) tensor.dispose()
        disposeGradients(leaves)
        assert.is(tapeOf(cpu).length, 0)
        assert.is(cpu.memory.heldBytes, held)
        return gradients
      }
      const wanted = await run(() => false, true)
      assert.equal(await run((i) => early[i], false), wanted)
      assert.equal(await run((i) => early[i], true), wanted)
    }),
    { seed: 29, numRuns: 100 * TEST_RUNS },
  )
})

test('noGrad saves nothing; an op saves nothing if none of its inputs needs a gradient', () => {
  scope(cpu, () => {
    const x = requireGrad(full(cpu, [16], 1))
    assert.not(noGrad(cpu, () => ops.exp(x)).requiresGrad)
    assert.not(ops.exp(full(cpu, [16], 1)).requiresGrad)
    assert.is(tapeOf(cpu).length, 0)
  })
})

test('only the tensors that a wanted gradient needs are saved', () => {
  scope(cpu, () => {
    const [x, w] = [full(cpu, [8, 16], 1), requireGrad(full(cpu, [4, 16], 1))]
    ops.linear(x, w)
    assert.equal([...tapeOf(cpu)[0].saved.keys()], [0])
  })
})

test('an op made of others leaves no tensor but its results, and none if it fails', () => {
  const x = zeros(cpu, [4, 3])
  const allocator = new FailingAllocator(MEMORY)
  const device = new StrictDevice('reference', allocator)
  const [a, b] = [zeros(device, [4, 3]), zeros(device, [4, 3])]
  const made: (() => Tensor | readonly Tensor[])[] = [
    () => ops.stack([a, b], 1),
    () => ops.oneHot(a, 5),
    () => ops.split(a, [1, 3]),
    () => ops.chunk(a, 3, 1),
  ]
  const standing = device.memory.heldBytes
  for (const make of made) {
    for (let n = 1; ; n++) {
      allocator.remaining = n
      let results: Tensor | readonly Tensor[] = []
      const error = caught(() => {
        results = make()
      })
      allocator.remaining = Infinity
      for (const result of [results].flat()) result.dispose()
      assert.is(device.memory.heldBytes, standing, `${make}: allocation ${n}`)
      if (error === null) break
      assert.instance(error, BudgetExceededError)
      assert.ok(n < 9, 'it never succeeded')
    }
  }
  const [stacked, piece] = [ops.stack([x, x]), ops.chunk(x, 4)[0]]
  assert.equal(
    [stacked.shape, piece.shape],
    [
      [2, 4, 3],
      [1, 3],
    ],
  )
})

test('wrong axes and pieces of ops that are made of others: ShapeError with their name', () => {
  const x = zeros(cpu, [4, 3, 1])
  const cases: [() => unknown, RegExp][] = [
    [() => ops.transpose(x, 0, 3), /^transpose: axis 3/],
    [() => ops.squeeze(x, 1), /^squeeze: axis 1 of \[4, 3, 1\]/],
    [() => ops.squeeze(x, [2, -1]), /^squeeze: axis -1 is named twice/],
    [() => ops.unsqueeze(x, 4), /^unsqueeze: axis 4/],
    [() => ops.stack([x, zeros(cpu, [4, 3])]), /^stack: \[4, 3, 1\] and \[4, 3\] differ/],
    [() => ops.split(x, [1, 2]), /^split: \[1, 2\] does not add up to axis 0 of \[4, 3, 1\]/],
    [() => ops.split(x, 0), /^split: 0 is not a length/],
    [() => ops.chunk(x, 1.5), /^chunk: 1.5 pieces/],
  ]
  for (const [call, says] of cases) {
    const error = caught(call)
    assert.instance(error, ShapeError, String(says))
    assert.match(error?.message ?? '', says)
  }
  const bad: [() => unknown, RegExp][] = [
    [() => ops.stack([]), /^stack: needs at least one tensor/],
    [() => ops.oneHot(tensor(cpu, [0, 5]), 5), /^oneHot: 5 is among the indices/],
    [() => ops.oneHot(x, 0), /^oneHot: count is 0/],
    [() => arange(cpu, 3, 1), /^arange: there is no list of numbers from 3 to 1 in steps of 1/],
    [() => arange(cpu, 0, 1, 0), /^arange: /],
    [() => arange(cpu, 0, 1, Number.NaN), /^arange: /],
  ]
  for (const [call, says] of bad) assert.match(String(caught(call)), new RegExp(String(says).slice(2, -1)))
})

// Errors

const wrong: Readonly<Record<string, [call: (d: Device) => Tensor, ...says: string[]]>> = {
  where: [(d) => ops.where(zeros(d, [2]), zeros(d, [3]), 0), '[2]', '[3]'],
  gather: [(d) => ops.gather(zeros(d, [2, 3]), 1, zeros(d, [3, 1])), '[2, 3]', '[3, 1]', 'axis 1'],
  cumsum: [(d) => ops.cumsum(zeros(d, [2]), 1), 'axis 1'],
  prod: [(d) => ops.prod(zeros(d, [2]), { axes: 1 }), 'axis 1'],
  linear: [(d) => ops.linear(zeros(d, [2, 3]), zeros(d, [4, 5])), '[2, 3]', '[4, 5]'],
  matmul: [(d) => ops.matmul(zeros(d, [2, 3]), zeros(d, [2, 3])), '[2, 3]', '3 against 2'],
  argmax: [(d) => ops.argmax(zeros(d, [2]), { axes: 1 }), 'axis 1'],
  max: [(d) => ops.max(zeros(d, [2]), { axes: -2 }), 'axis -2'],
  mean: [(d) => ops.mean(zeros(d, [2]), { axes: [0, -1] }), 'named twice'],
  sum: [(d) => ops.sum(zeros(d, [2]), { axes: 0.5 }), 'axis 0.5'],
  variance: [(d) => ops.variance(zeros(d, [2]), { axes: 1 }), 'axis 1'],
  broadcastTo: [(d) => ops.broadcastTo(zeros(d, [2, 3]), [3]), '[2, 3]', '[3]'],
  concat: [(d) => ops.concat([zeros(d, [2, 3]), zeros(d, [3, 2])]), '[2, 3]', '[3, 2]'],
  reshape: [(d) => ops.reshape(zeros(d, [2, 3]), [4, -1]), '[2, 3]', '[4, -1]'],
  pad: [(d) => ops.pad(zeros(d, [2]), [[0, -1]]), '[2]', '-1'],
  permute: [(d) => ops.permute(zeros(d, [2, 3]), [0, 0]), '[2, 3]', '[0,0]'],
  slice: [(d) => ops.slice(zeros(d, [2]), [1], [1]), '[2]', '[1, 1)'],
  conv2d: [(d) => ops.conv2d(zeros(d, [1, 2, 4, 4]), zeros(d, [3, 4, 3, 3])), '[1, 2, 4, 4]', '[3, 4, 3, 3]'],
  convTranspose2d: [
    (d) => ops.convTranspose2d(zeros(d, [1, 2, 4, 4]), zeros(d, [3, 2, 3, 3])),
    '[1, 2, 4, 4]',
    '[3, 2, 3, 3]',
  ],
  scaledDotProductAttention: [
    (d) => ops.scaledDotProductAttention(zeros(d, [2, 3, 4]), zeros(d, [2, 5, 3]), zeros(d, [2, 5, 4])),
    '[2, 3, 4]',
    '[2, 5, 3]',
  ],
  averagePool2d: [(d) => ops.averagePool2d(zeros(d, [1, 1, 2, 2]), { kernel: 3 }), '[1, 1, 2, 2]'],
  maxPool2d: [(d) => ops.maxPool2d(zeros(d, [2, 2, 2]), { kernel: 2 }), '[2, 2, 2]'],
  logSoftmax: [(d) => ops.logSoftmax(zeros(d, []), 0), 'axis 0'],
  softmax: [(d) => ops.softmax(zeros(d, [2]), 1), 'axis 1'],
  batchNorm2d: [
    (d) => ops.batchNorm2d(zeros(d, [2, 3, 1, 1]), zeros(d, [2]), zeros(d, [3])),
    '[2, 3, 1, 1]',
    '[2]',
    '[3]',
  ],
  frozenBatchNorm2d: [
    (d) => ops.frozenBatchNorm2d(zeros(d, [2, 3, 1, 1]), zeros(d, [3]), zeros(d, [1])),
    '[2, 3, 1, 1]',
    '[1]',
  ],
  groupNorm: [(d) => ops.groupNorm(zeros(d, [2, 3]), 2), '[2, 3]', '2 groups'],
  layerNorm: [(d) => ops.layerNorm(zeros(d, [2, 3]), zeros(d, [2]), zeros(d, [2])), '[2, 3]', '[2]'],
  embedding: [(d) => ops.embedding(zeros(d, [2]), zeros(d, [3])), '[2]', '[3]'],
  bceWithLogits: [(d) => ops.bceWithLogits(zeros(d, [2]), zeros(d, [3])), '[2]', '[3]'],
  mse: [(d) => ops.mse(zeros(d, [2]), zeros(d, [2]), { weights: zeros(d, [3]) }), '[3]', '[2]'],
  crossEntropy: [(d) => ops.crossEntropy(zeros(d, [2, 3]), zeros(d, [3])), '[2, 3]', '[3]'],
  linearCrossEntropy: [
    (d) => ops.linearCrossEntropy(zeros(d, [2, 3]), zeros(d, [4, 5]), zeros(d, [2])),
    '[2, 3]',
    '[4, 5]',
    '[V, 3]',
  ],
}
const broadcasting = opTable.filter((op) =>
  op.samples.some(({ inputs }) => inputs.length === 2 && inputs[1][0].length === 1),
)
const anyShape = [
  'dropout',
  ...opTable.filter((op) => op.samples.every(({ inputs }) => inputs.length === 1)).map(({ name }) => name),
]

test('wrong shapes: ShapeError with the name of the op and the shapes', () => {
  const untested = opTable.filter((op) => !wrong[op.name] && !broadcasting.includes(op) && !anyShape.includes(op.name))
  assert.equal(
    untested.map(({ name }) => name),
    [],
    'every op has an example of wrong shapes',
  )
  const fails = (name: string, call: () => Tensor, says: readonly string[]) => {
    const before = cpu.memory.heldBytes
    const error = caught(() => scope(cpu, call))
    assert.instance(error, ShapeError, name)
    for (const text of [`${name}: `, ...says])
      assert.ok(error?.message.includes(text), `'${error?.message}' says ${text}`)
    assert.is(cpu.memory.heldBytes, before)
  }
  for (const [name, [call, ...says]] of Object.entries(wrong)) fails(name, () => call(cpu), says)
  for (const op of broadcasting) {
    if (wrong[op.name]) continue
    fails(op.name, () => apply(op, [zeros(cpu, [2, 3]), zeros(cpu, [2])], op.samples[0].options), ['[2, 3]', '[2]'])
  }
})

test('two devices: DeviceMismatchError; a disposed input: DisposedError; both name the op', () => {
  for (const [op, drawn] of samplesOf(opTable)) {
    const expectError = (kind: new (message: string) => Error, change: (inputs: Tensor[]) => Tensor[]) =>
      scope(cpu, () =>
        scope(reference, () => {
          const error = caught(() => apply(op, change(upload(cpu, drawn)), drawn.options))
          assert.instance(error, kind, describe(op, drawn))
          assert.ok(error?.message.startsWith(`${op.name}: `), error?.message)
        }),
      )
    if (drawn.points.length > 1) {
      expectError(DeviceMismatchError, ([first]) => [first, ...upload(reference, drawn).slice(1)])
    }
    expectError(DisposedError, (inputs) => {
      inputs.at(-1)?.dispose()
      return inputs
    })
  }
})

test('impossible options are refused by name', () => {
  scope(cpu, () => {
    const x = zeros(cpu, [1, 2, 4, 4])
    const w = zeros(cpu, [2, 2, 1, 1])
    const refused: [() => Tensor, RegExp][] = [
      [() => ops.conv2d(x, w, null, { stride: 0 }), /^conv2d: stride 0/],
      [() => ops.conv2d(x, w, null, { padding: [0, -1] }), /^conv2d: padding \[0, -1\]/],
      [() => ops.conv2d(x, w, null, { dilation: 1.5 }), /^conv2d: dilation 1.5/],
      [() => ops.conv2d(x, w, null, { groups: 0 }), /^conv2d: groups 0/],
      [() => ops.convTranspose2d(x, w, null, { outputPadding: 1 }), /^convTranspose2d: outputPadding 1 x 1 /],
      [() => ops.maxPool2d(x, { kernel: 2, padding: 2 }), /^maxPool2d: padding 2 x 2 is more than half the kernel/],
      [() => ops.averagePool2d(x, { kernel: 0 }), /^averagePool2d: kernel 0/],
      [() => ops.dropout(x, 1), /^dropout: rate 1 /],
      [() => ops.dropout(x, Number.NaN), /^dropout: rate NaN /],
      [() => ops.scaledDotProductAttention(x, x, x, { scale: 0 }), /^scaledDotProductAttention: scale 0/],
      [() => ops.scaledDotProductAttention(x, x, x, { dropout: 1 }), /^scaledDotProductAttention: rate 1/],
      [() => ops.clamp(x, 1, 0), /^clamp: low 1/],
      [
        () => ops.crossEntropy(zeros(cpu, [1, 2]), zeros(cpu, [1]), { labelSmoothing: 2 }),
        /^crossEntropy: labelSmoothing 2/,
      ],
      [() => ops.layerNorm(x, zeros(cpu, [4])), /^layerNorm: give both gamma and beta/],
      [() => ops.concat([]), /^concat: needs at least one/],
      [() => ops.add(1, 2), /^add: at least one/],
    ]
    for (const [call, says] of refused) {
      const error = caught(call)
      assert.instance(error, ArgumentError)
      assert.match(error?.message ?? '', says)
    }
  })
})

// Accumulation

const gradient = async ({ grad }: Tensor): Promise<number[]> => Array.from((await grad?.data()) ?? [])

/**
 * Ops whose gradients are sums of rounded terms, added directly to the leaf's gradient: the order of the sum differs.
 */
const roundsInside = ['scaledDotProductAttention']

test('two backwards add up in the leaves', async () => {
  for (const [op, drawn] of samplesOf(differentiable)) {
    const once = await outcome(reference, op, drawn)
    const inputs = upload(reference, drawn)
    const leaves = inputs.filter((_, i) => hasGradient(op, i)).map(requireGrad)
    for (let time = 0; time < 2; time++) {
      scope(reference, () => {
        const y = apply(op, inputs, drawn.options)
        backward(ops.sum(ops.mul(y, tensor(reference, Float64Array.from(weightsFor(y.size)), y.shape))))
      })
    }
    for (const [i, leaf] of leaves.entries()) {
      const twice = Array.from(once.gradients[i].values, (value) => 2 * value)
      if (roundsInside.includes(op.name)) assertClose(await gradient(leaf), twice, SPLIT_GRADIENT, describe(op, drawn))
      else assert.equal(await gradient(leaf), twice, describe(op, drawn))
    }
    disposeGradients(leaves)
    for (const input of inputs) input.dispose()
  }
})

test('a tensor used more than once gets the sum', async () => {
  const cases: [string, (x: Tensor) => Tensor, (x: number) => number][] = [
    ['x x', (x) => ops.mul(x, x), (x) => 2 * x],
    ['x + x', (x) => ops.add(x, x), () => 2],
    ['x - x', (x) => ops.sub(x, x), () => 0],
    ['x^2 + x', (x) => ops.add(ops.square(x), x), (x) => 2 * x + 1],
    ['x + x^2', (x) => ops.add(x, ops.square(x)), (x) => 2 * x + 1],
    ['h + h^2, h = 3 x', (x) => ((h) => ops.add(h, ops.square(h)))(ops.mul(x, 3)), (x) => 3 + 18 * x],
    ['h^2 + h + h, h = 3 x', (x) => ((h) => ops.add(ops.add(ops.square(h), h), h))(ops.mul(x, 3)), (x) => 6 + 18 * x],
    ['view of h and h', (x) => ((h) => ops.add(ops.reshape(ops.reshape(h, [3, 1]), [3]), h))(ops.mul(x, 3)), () => 6],
    ['a view twice', (x) => ((v) => ops.mul(v, v))(ops.reshape(x, [1, 3])), (x) => 2 * x],
    [
      'view of a sum',
      (x) => ((h) => ops.mul(ops.flatten(ops.reshape(h, [3, 1])), ops.reshape(h, [3, 1])))(ops.add(x, x)),
      (x) => 8 * x,
    ],
    ['h^2 - h, h = 3 x', (x) => ((h) => ops.add(ops.square(h), ops.neg(h)))(ops.mul(x, 3)), (x) => 18 * x - 3],
    ['a residual block', (x) => ((h) => ops.add(h, ops.relu(h)))(ops.add(x, 0)), (x) => (x > 0 ? 2 : 1)],
  ]
  const values = [-1.5, 0.5, 2]
  for (const device of [reference, strict]) {
    for (const [name, f, derivative] of cases) {
      const x = requireGrad(tensor(device, values))
      scope(device, () => backward(ops.sum(f(x))))
      assert.equal(await gradient(x), values.map(derivative), name)
      disposeGradients([x])
      x.dispose()
    }
  }
})

test('backward scales by its seed, refuses a tensor that is not a loss, and uses up the tape', async () => {
  const x = requireGrad(tensor(reference, [1, 2]))
  scope(reference, () => backward(ops.sum(x), 0.25))
  assert.equal(await gradient(x), [0.25, 0.25])
  scope(reference, () => {
    assert.instance(
      caught(() => backward(ops.mul(x, 2))),
      ShapeError,
    )
    assert.instance(
      caught(() => backward(tensor(reference, 1))),
      ArgumentError,
    )
    const loss = ops.sum(x)
    backward(loss)
    assert.instance(
      caught(() => backward(loss)),
      ArgumentError,
    )
  })
  disposeGradients([x])
  x.dispose()
})

// Chaining

test('chaining calls the free functions', async () => {
  const lists = ['concat', 'stack']
  const names = Object.keys(ops).filter((name) => !lists.includes(name))
  const [x, w] = [
    tensor(reference, [
      [1, -2],
      [3, 0.5],
    ]),
    tensor(reference, [[0.25], [2]]),
  ]
  for (const name of names) assert.type(Reflect.get(x, name), 'function', name)
  for (const name of lists) assert.is(Reflect.get(x, name), undefined)
  assert.not(Object.keys(x).includes('add'))
  const chained = x.matmul(w).add(1).relu().sum({ axes: 1 })
  const free = ops.sum(ops.relu(ops.add(ops.matmul(x, w), 1)), { axes: 1 })
  assert.equal(await chained.data(), await free.data())
  for (const tensor of [x, w, chained, free]) tensor.dispose()
})

test.run()
