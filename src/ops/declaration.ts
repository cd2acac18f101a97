/**
 * The declaration of an op.
 *
 * An op is declared once: its shape rule, its forward as kernel calls, and the gradient of each input. `saves` is the
 * op's cost in memory. Each gradient has its own `saves`, so that the tape keeps only the tensors that wanted gradients
 * need.
 *
 * Note [Gradients go somewhere]
 *   A gradient is not returned but sent to a `Target`, as the kernel call that makes it. A kernel that can accumulate then
 *   adds it directly to the gradient buffer of a parameter, or to a gradient that another use of the tensor sent before,
 *   without a temporary.
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

/** The values that a gradient can ask to be saved: an input by its number, the output, or all the extras. */
export type Saved = number | 'output' | 'extras'

/** The argument of a forward, and a part of the argument of a gradient. */
export interface Call<Options> {
  readonly device: Device
  readonly options: Options
  /** the shapes of the inputs */
  readonly shapes: readonly Shape[]
  /** the shape of the output */
  readonly shape: Shape
  /** Memory that lasts as long as this call. */
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

/** The destination of the gradient of one input: Note [Gradients go somewhere]. */
export interface Target {
  /** The gradient is the output of this kernel. The backward walk sets the parameter `accumulate`. */
  run<Name extends KernelName>(kernel: Name, parameters: KernelParameters[Name], inputs: readonly Storage[]): void
  /**
   * Like `run`, for a kernel whose first input is dy and which may write over dy, because each output element reads only
   * the element of dy at its own place. If nothing else needs dy, this saves a tensor at the peak.
   */
  overwrite<Name extends KernelName>(kernel: Name, parameters: KernelParameters[Name], inputs: readonly Storage[]): void
  /** The gradient is the value of `storage`, unchanged. */
  pass(storage: Storage): void
}

export interface Gradient<Options> {
  /** what the tape keeps for this gradient; an optional input that a call leaves out is skipped */
  readonly saves: readonly Saved[]
  /** @param index  the number of the input, for a gradient that serves several */
  send(call: BackwardCall<Options>, target: Target, index: number): void
}

export interface Op<Options> {
  readonly name: string
  /** @throws ShapeError  naming the op and the shapes */
  shape(shapes: readonly Shape[], options: Options): Shape
  /**
   * The options that kernels take as numbers, by their public names: the device's element type must be able to hold
   * them.
   */
  settings?(options: Options): Readonly<Record<string, number>>
  /** The sizes of further results that only gradients need (mean and variance of a norm). */
  extras?(shapes: readonly Shape[], options: Options): readonly number[]
  /** true: a call whose gradient nobody wants gets no extras */
  extrasOnlyForGradients?: true
  /** Absent: the output is the first input under another shape, and shares its storage. */
  forward?(call: ForwardCall<Options>): void
  /** One for each input; the last one serves all further inputs. null: the input has no gradient, such as indices. */
  readonly gradients: readonly (Gradient<Options> | null)[]
  /** the numbers of the inputs in which the output is linear, up to a constant; for the adjoint test */
  readonly linear?: readonly number[]
  readonly samples: readonly Sample<Options>[]
}
