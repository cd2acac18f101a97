/** einsum against the sum written out over all places, with its gradients, and what it refuses. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  checkGradient,
  einsum,
  openDevice,
  ShapeError,
  scope,
  type Tensor,
  tensor,
} from '../src/index.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const LETTERS = ['a', 'b', 'i', 'j']
const SIZES: Readonly<Record<string, number>> = { a: 2, b: 1, i: 3, j: 2 }

interface Case {
  readonly inputs: readonly (readonly string[])[]
  readonly result: readonly string[]
}

const sizeOf = (axes: readonly string[]): number => axes.reduce((size, axis) => size * SIZES[axis], 1)

/** The offset of a point of the whole index space in a tensor with these axes. */
const offset = (axes: readonly string[], at: Readonly<Record<string, number>>): number =>
  axes.reduce((sum, axis) => sum * SIZES[axis] + at[axis], 0)

/** Whole numbers from -3 to 3: all sums are exact in float32. */
const valuesFor = (axes: readonly string[], seed: number): number[] =>
  Array.from({ length: sizeOf(axes) }, (_, i) => ((5 * i + 3 * seed) % 7) - 3)

/** The definition: a sum over all values of all letters. */
function byHand({ inputs, result }: Case, values: readonly (readonly number[])[]): number[] {
  const letters = [...new Set(inputs.flat())]
  const y: number[] = new Array(sizeOf(result)).fill(0)
  const walk = (depth: number, at: Record<string, number>): void => {
    if (depth === letters.length) {
      y[offset(result, at)] += inputs.reduce((product, axes, i) => product * values[i][offset(axes, at)], 1)
      return
    }
    for (let i = 0; i < SIZES[letters[depth]]; i++) walk(depth + 1, { ...at, [letters[depth]]: i })
  }
  walk(0, {})
  return y
}

const subset = fc.shuffledSubarray(LETTERS)
const cases = fc
  .array(subset, { minLength: 1, maxLength: 3 })
  .chain((inputs) => fc.shuffledSubarray([...new Set(inputs.flat())]).map((result): Case => ({ inputs, result })))
const equationOf = ({ inputs, result }: Case): string =>
  `${inputs.map((axes) => axes.join('')).join(',')}->${result.join('')}`

for (const kind of ['reference', 'cpu'] as const) {
  test(`${kind}: the sum over all places, for any equation of up to three tensors`, async () => {
    const device = await openDevice(kind, { memory: '1MiB' })
    await fc.assert(
      fc.asyncProperty(cases, async (drawn) => {
        const values = drawn.inputs.map(valuesFor)
        const y = scope(device, () =>
          einsum(
            equationOf(drawn),
            ...drawn.inputs.map((axes, i) =>
              tensor(
                device,
                Float64Array.from(values[i]),
                axes.map((axis) => SIZES[axis]),
              ),
            ),
          ),
        )
        assert.equal(
          y.shape,
          drawn.result.map((axis) => SIZES[axis]),
        )
        // -0 and 0 are the same sum
        assert.equal(
          [...(await y.data())].map((value) => value + 0),
          byHand(drawn, values).map((value) => value + 0),
        )
        y.dispose()
      }),
      { numRuns: TEST_RUNS },
    )
  })
}

test('its gradients are right, for one, two and three tensors', async () => {
  const a = [
    [0.5, -1, 2],
    [1, 0.25, -0.75],
  ]
  const b = [
    [1, 2],
    [-0.5, 0.75],
    [0.125, -2],
  ]
  for (const equation of ['ij->ji', 'ij->j', 'ij->']) {
    assert.ok((await checkGradient((x: Tensor) => einsum(equation, x), [a])).ok, equation)
  }
  for (const equation of ['ij,jk->ik', 'ij,jk', 'ij,jk->kji', 'ij,jk->j', 'ij,kl->ljki', 'ij,kl->']) {
    assert.ok((await checkGradient((x: Tensor, y: Tensor) => einsum(equation, x, y), [a, b])).ok, equation)
  }
  const three = (x: Tensor, y: Tensor, z: Tensor): Tensor => einsum('ij,jk,il->kl', x, y, z)
  assert.ok((await checkGradient(three, [a, b, a])).ok)
})

test('without an arrow the result has the letters that occur once, by the alphabet; spaces do not count', async () => {
  const device = await openDevice('reference', { memory: '64KiB' })
  const x = tensor(device, [
    [1, 2, 3],
    [4, 5, 6],
  ])
  assert.equal(await einsum('ba', x).array(), await einsum('ba->ab', x).array())
  assert.equal(await einsum('zb , zc', x, x).array(), await einsum('zb,zc->bc', x, x).array())
  assert.is(await einsum('ij,ij', x, x).item(), 91)
})

test('an equation that does not fit the tensors is refused, before anything is made', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const [x, y] = [tensor(device, [[1, 2, 3]]), tensor(device, [1, 2])]
  const { heldBytes } = device.memory
  const refused: [() => unknown, new (...args: never[]) => Error, RegExp][] = [
    [() => einsum('ij,j->i', x), ArgumentError, /'ij,j->i' is for 2 tensors, and 1 are given; .*'bij,bjk->bik'/],
    [() => einsum('...i->i', x), ArgumentError, /has '\.\.\.', which is not known here: name each axis/],
    [() => einsum('i1->i', x), ArgumentError, /something other than letters, commas and one ->/],
    [() => einsum('ij->i->j', x), ArgumentError, /something other than letters, commas and one ->/],
    [() => einsum('ii->i', x), ArgumentError, /has i twice in ii/],
    [() => einsum('ij->ii', x), ArgumentError, /has i twice in ii/],
    [() => einsum('ij->k', x), ArgumentError, /has k in its result, and in no tensor/],
    [() => einsum('ijk->i', x), ShapeError, /tensor 0 is \[1, 3\], and has 3 letters/],
    [() => einsum('ij,j->i', x, y), ShapeError, /tensor 1 is \[2\], and j is 3 in a tensor before it/],
    [() => einsum(x as never, 'ij' as never), ArgumentError, /einsum: equation/],
  ]
  for (const [run, type, message] of refused) {
    const error = await errorOf(run)
    assert.instance(error, type)
    assert.match(String(error), message)
    assert.is(device.memory.heldBytes, heldBytes)
  }
})

test.run()
