/**
 * What an op is.
 *
 * An op is declared once: its shape rule, its forward as kernel calls, and for each input its gradient
 * with what that gradient must have saved. `saves` is the op's cost in memory, so it is said per
 * gradient: what no wanted gradient asks for is not saved.
 *
 * Note [Gradients go somewhere]
 *   A gradient is not returned but sent to a `Target`, as the kernel call that makes it. So it can be
 *   added straight into a parameter's gradient buffer, or into what another use of the tensor sent
 *   before, without a temporary where the kernel can accumulate.
 *
 * Note [Spread last]
 *   Parameters of kernels are written { bias, ...sizes }, not { ...sizes, bias }: the V8 of Node 20 takes 5 us for an
 *   object that gets a new field after a spread, and 0.1 us the other way round. A step makes hundreds of them.
 */
import type { KernelName, KernelParameters } from '../../kernels/kernels.js'
import type { Device } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import type { Shape } from '../tensor/shape.js'
import type { Sample } from './sample.js'

/** What a gradient may ask to be saved: an input by its number, the output, or all the extras. */
export type Saved = number | 'output' | 'extras'

/** What forward and gradient both see. */
export interface Call<Options> {
  readonly device: Device
  readonly options: Options
  /** of the inputs */
  readonly shapes: readonly Shape[]
  /** of the output */
  readonly shape: Shape
  /** Memory for the length of this call. */
  workspace(size: number): Storage
}

export interface ForwardCall<Options> extends Call<Options> {
  readonly inputs: readonly Storage[]
  readonly output: Storage
  readonly extras: readonly Storage[]
}

export interface BackwardCall<Options> extends Call<Options> {
  /** the gradient of the output */
  readonly dy: Storage
  /** A saved input; must be in `saves`. */
  input(index: number): Storage
  /** The saved output; 'output' must be in `saves`. */
  output(): Storage
  /** A saved extra; 'extras' must be in `saves`. */
  extra(index: number): Storage
}

/** Where the gradient of one input goes: Note [Gradients go somewhere]. */
export interface Target {
  /** The gradient is the output of this kernel (its other parameters aside, `accumulate` is ours to say). */
  run<Name extends KernelName>(kernel: Name, parameters: KernelParameters[Name], inputs: readonly Storage[]): void
  /**
   * Like `run`, for a kernel whose first input is dy and which may write over it, because each output
   * element needs of dy only its own. Done where nobody else needs dy: it saves a tensor at the peak.
   */
  overwrite<Name extends KernelName>(kernel: Name, parameters: KernelParameters[Name], inputs: readonly Storage[]): void
  /** The gradient is what `storage` holds, as it is. */
  pass(storage: Storage): void
}

export interface Gradient<Options> {
  /** an optional input that a call leaves out saves nothing */
  readonly saves: readonly Saved[]
  /** @param index  of the input, for gradients that serve several */
  send(call: BackwardCall<Options>, target: Target, index: number): void
}

export interface Op<Options> {
  readonly name: string
  /** @throws ShapeError  naming the op and the shapes */
  shape(shapes: readonly Shape[], options: Options): Shape
  /** Numbers among the options that kernels compute with, by their public names: a device's elements must hold them. */
  settings?(options: Options): Readonly<Record<string, number>>
  /** Sizes of further results that only the gradient wants (a norm's mean and variance). */
  extras?(shapes: readonly Shape[], options: Options): readonly number[]
  /** Absent: the output is the first input under another shape, and shares its storage. */
  forward?(call: ForwardCall<Options>): void
  /** One for each input, the last serving all further ones; null where none is defined (indices). */
  readonly gradients: readonly (Gradient<Options> | null)[]
  /** numbers of the inputs that the output is linear in, up to a constant; for the adjoint test */
  readonly linear?: readonly number[]
  readonly samples: readonly Sample<Options>[]
}
