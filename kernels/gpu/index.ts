/**
 * The GPU dialect: kernels as programs that gpu.js runs on textures.
 *
 * Note [Dialect]
 *   A program uses only what gpu.js 2.24.1 can read, and what every GPU computes in the same way:
 *   - Flat functions, `const` and `let`, `if`, `for` with a counter; arrays only as whole texels, `v[0]` to `v[3]`.
 *   - `infinity`, `notANumber`, `isNotANumber`, `exponential`, `logarithm`, `hyperbolicTangent` of builtins.ts instead
 *     of JavaScript's own, which a GPU lacks or computes inexactly. A comparison with NaN may be true.
 *   - No helper has the name of a GLSL function (`dot`, `length`, `step`, `mix`...).
 *   - Indices are floats. Whole numbers are divided by `quotient`, never by `/`; a single value is `at(x, i)`.
 *   - All loops of a program together, for the four values of a texel, take at most 65,535 rounds: Mesa's software GL
 *     silently stops there. Longer sums are cut into parts.
 *   - Values past the end of an input are garbage, even NaN: select, do not multiply by 0.
 *   - Programs are cached by name, so two programs of the same name must be the same.
 *   - Inputs are read-only, and no output is an input: the device makes sure of that (`aliases` is false).
 *
 * Note [Long sums]
 *   As in kernels/simd/assembly/machine/sums.ts: a chain of additions has at most 64 numbers or texels, a block, and then
 *   the block is added to the sum. The same loop does both, so that it takes no more rounds.
 */
import type { KernelName, KernelParameters } from '../kernels.js'
import * as accumulation from './accumulation.js'
import * as along from './along.js'
import * as attention from './attention.js'
import * as concat from './concat.js'
import * as convolution from './convolution.js'
import * as convolutionWeight from './convolution-weight.js'
import * as crossEntropy from './cross-entropy.js'
import * as defined from './defined.js'
import * as deviation from './deviation.js'
import * as dropout from './dropout.js'
import * as elementwise from './elementwise.js'
import * as embedding from './embedding.js'
import * as flash from './flash.js'
import * as flashGradient from './flash-gradient.js'
import * as loss from './loss.js'
import type { GpuKernels } from './machine/kernel.js'
import type { GpuApi } from './machine/program.js'
import * as mask from './mask.js'
import * as matmul from './matmul.js'
import * as movement from './movement.js'
import * as norm from './norm.js'
import * as optimizer from './optimizer.js'
import * as pad from './pad.js'
import * as pool from './pool.js'
import * as reduce from './reduce.js'
import * as rmsprop from './rmsprop.js'
import * as softmax from './softmax.js'

export type { GpuKernel, GpuKernels } from './machine/kernel.js'
export {
  COPY,
  type Four,
  type Gpu,
  type GpuApi,
  LARGEST_TENSOR,
  type Program,
  type TileProgram,
} from './machine/program.js'
export { type HelperText, helpersOf, indexed, type ProgramText, textOf } from './machine/text.js'

export const gpuKernels: GpuKernels = {
  ...accumulation,
  ...along,
  ...attention,
  ...concat,
  ...convolution,
  ...convolutionWeight,
  ...crossEntropy,
  ...defined,
  ...deviation,
  ...dropout,
  ...elementwise,
  ...embedding,
  ...flash,
  ...flashGradient,
  ...loss,
  ...mask,
  ...matmul,
  ...movement,
  ...norm,
  ...optimizer,
  ...pad,
  ...pool,
  ...reduce,
  ...rmsprop,
  ...softmax,
}

/** The sizes, in values, of the workspaces that a kernel needs beside its operands. */
export function gpuWorkspaces<Name extends KernelName>(
  name: Name,
  p: KernelParameters[Name],
  api: GpuApi,
): readonly number[] {
  return gpuKernels[name].workspaces?.(p, api) ?? []
}
