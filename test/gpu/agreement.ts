/** Shared parts of the tests that compare GPU kernels with the plain loops. */
import * as assert from 'uvu/assert'
import type { KernelName, KernelParameters } from '../../kernels/kernels.js'
import { reference } from '../../kernels/reference/index.js'
import { fc } from '../property.js'

/**
 * Runs one kernel: takes inputs and the sizes of outputs, and returns the outputs. Outputs are NaN before the kernel
 * runs.
 */
export type KernelRunner = <Name extends KernelName>(
  name: Name,
  parameters: KernelParameters[Name],
  inputs: readonly Float32Array[],
  sizes: readonly number[],
) => Promise<readonly ArrayLike<number>[]>

const NUM_RUNS = 40

/** Check `property` for drawn values, the same in every run. */
export function cases<T>(
  drawn: fc.Arbitrary<T>,
  property: (value: T) => Promise<void>,
  numRuns = NUM_RUNS,
): Promise<void> {
  return fc.assert(fc.asyncProperty(drawn, property), { seed: 1, numRuns })
}

/** The largest error that is allowed for an element of an output. */
export type Limit = (expected: number, element: number, output: number) => number

/** For kernels that do not compute, or do not round. */
export const exactly: Limit = () => 0

/** Asserts that the outputs of a kernel agree with those of the plain loops in float64. */
export type Agrees = <Name extends KernelName>(
  name: Name,
  parameters: KernelParameters[Name],
  inputs: readonly Float32Array[],
  /** of the outputs */
  sizes: readonly number[],
  limit: Limit,
) => Promise<void>

export const agreement =
  (run: KernelRunner): Agrees =>
  async (name, parameters, inputs, sizes, limit) => {
    const expected = sizes.map((size) => new Float64Array(size).fill(Number.NaN))
    const doubles = inputs.map((values) => Float64Array.from(values))
    reference[name](parameters, doubles, expected)
    const seen = await run(name, parameters, inputs, sizes)
    for (const [output, values] of expected.entries()) {
      values.forEach((wanted, i) => {
        const value = seen[output][i]
        const same = value === Math.fround(wanted) || (Number.isNaN(value) && Number.isNaN(wanted))
        const allowed = limit(wanted, i, output)
        if (same || Math.abs(value - wanted) <= allowed) return
        const given = inputs.map((input) => input[i])
        assert.unreachable(
          `${name} ${JSON.stringify(parameters)}: element ${i} of output ${output} is ${value}, not ${wanted} to ` +
            `${allowed}; there the inputs have ${given}`,
        )
      })
    }
  }
