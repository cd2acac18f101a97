/**
 * Ops that a user defines: an output that loops over inputs compute, with a gradient made of ops or of another loop. Such an op
 * is recorded, planned and made again as the library's own are, because it is declared as they are. Its kernels run as the
 * kernel `defined`, in JavaScript on `cpu` and `reference`. docs/defining-an-op.md is a worked example.
 */
import type { Floats, Numbers, UserKernel } from '../../kernels/kernels.js'
import { DeviceError } from '../device/errors.js'
import { forget, isPromise } from '../device/promise.js'
import type { Storage } from '../device/storage.js'
import {
  BOOLEAN,
  checkArgument,
  either,
  FUNCTION,
  type Kind,
  LIST,
  NUMBER,
  OBJECT,
  options as optionsOf,
  TEXT,
} from '../memory/arguments.js'
import { ArgumentError, reasonOf, SluiceError, showValue } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { TENSOR } from '../tensor/kinds.js'
import { adopt, scope } from '../tensor/scope.js'
import { ownShape, type Shape, sameShape, showShape } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import type { BackwardCall, Call, Gradient, Op } from './declaration.js'
import { type GpuText, gpuText } from './gpu-text.js'
import { apply, define, type OpFunction } from './op.js'
import { noGrad } from './tape.js'

/** A function of an op that a user has defined threw, or returned what it must not. `cause` is what it threw. */
export class DefinedOpError extends SluiceError {}

/** The options of an op, with their defaults. */
export type OptionValues = Readonly<Record<string, number | boolean>>

/** What a call has chosen. */
export type Chosen<Options> = {
  readonly [Name in keyof Options]: Options[Name] extends boolean
    ? boolean
    : Options[Name] extends number
      ? number
      : Options[Name]
}

/** One output, computed from inputs. */
export interface DefinedKernel<Operands extends readonly unknown[] = readonly never[]> {
  /**
   * Writes every element of y, on `cpu` (float32) and `reference` (float64). Arrays are flat and row-major.
   * @param numbers  the op's options, true as 1, and what its `numbers` returns
   */
  loop(inputs: readonly Floats[], y: Floats, numbers: Numbers): void
  /**
   * Element i of y on the gpu device: (i, x0, x1, ..., numbers), of the inputs above. gpu.js reads it from its text: flat, with
   * `const`, `let`, `if`, `for`, reads such as `x[i]`, functions of Math, and `numbers.beta`. Where a minifier would change it, give
   * the text itself. Without it the op is refused on a gpu device.
   */
  gpu?: string | ((i: number, ...operands: Operands) => number)
}

/** The gradient of one input. */
export type DefinedGradient<Names extends string, Options> = {
  /** the inputs, and 'output', that it reads: the tape keeps them from forward to backward */
  saves: readonly (Names | 'output')[]
} & (
  | {
      /** The gradient by ops, from dy and what it saves. It is not recorded itself. */
      ops(given: { readonly [Name in Names | 'output' | 'dy']: Tensor }, options: Chosen<Options>): Tensor
    }
  | DefinedKernel
)

/** The declaration of an op. */
export interface OpDefinition<Inputs extends readonly string[], Options> extends DefinedKernel<Operands<Inputs>> {
  name: string
  /** the names of its inputs, all of them tensors */
  inputs: Inputs
  /** its options, with defaults that say of which kind they are; default none */
  options?: Options
  /** The shape of the output; may throw ShapeError. Default: the shape of the inputs, which must be the same. */
  shape?(shapes: readonly Shape[], options: Chosen<Options>): Shape
  /** Further numbers for the kernels, such as sizes: the same names at every call. */
  numbers?(shapes: readonly Shape[], options: Chosen<Options>): Numbers
  /** for each input: its gradient, or null if it has none, as indices have */
  gradients: { readonly [Name in Inputs[number]]: DefinedGradient<Inputs[number], Options> | null }
}

type Operands<Inputs extends readonly string[]> = [
  ...{ -readonly [Place in keyof Inputs]: readonly number[] },
  numbers: Numbers,
]

/** An op that was defined: its inputs in order, then its options. */
export type DefinedOp<Inputs extends readonly string[], Options> = OpFunction<
  (...given: [...inputs: { -readonly [Place in keyof Inputs]: Tensor }, options?: Partial<Chosen<Options>>]) => Tensor
>

const KERNEL = { loop: FUNCTION, gpu: either(FUNCTION, TEXT) }
const DEFINITION = optionsOf<OpDefinition<readonly string[], OptionValues>>(
  { name: TEXT, inputs: LIST, options: OBJECT, shape: FUNCTION, numbers: FUNCTION, ...KERNEL, gradients: OBJECT },
  ['name', 'inputs', 'loop', 'gradients'],
)
const BY_OPS = optionsOf<{ saves: unknown; ops: unknown }>({ saves: LIST, ops: FUNCTION }, ['saves', 'ops'])
const BY_LOOP = optionsOf<{ saves: unknown; loop: unknown; gpu?: unknown }>({ saves: LIST, ...KERNEL }, [
  'saves',
  'loop',
])

type AnyDefinition = OpDefinition<readonly string[], OptionValues>
type AnyGradient = DefinedGradient<string, OptionValues>
type AnyKernel = Pick<DefinedKernel, 'loop'> & { gpu?: unknown }

/**
 * An op of your own, from a loop and its gradient: a function of tensors that is recorded, planned, made again and streamed as the
 * library's own ops are. Give the same numbers for the same inputs: a step may compute a value again.
 * @returns       the op; it throws what ops throw, and DefinedOpError, DeviceError (no `gpu` on a gpu device)
 * @throws ArgumentError  names what is wrong with the definition
 * Saves what the wanted gradients name in `saves`.
 */
export function defineOp<
  const Inputs extends readonly string[],
  Options extends OptionValues = Readonly<Record<never, never>>,
>(definition: OpDefinition<Inputs, Options>): DefinedOp<Inputs, Options>
export function defineOp(given: AnyDefinition): OpFunction<(...given: never[]) => Tensor> {
  checkArgument('defineOp', 'definition', given, DEFINITION)
  const { name, inputs, options: defaults = {} } = given
  checkNames(name, inputs)
  const known: Record<string, Kind> = {}
  for (const [option, value] of Object.entries(defaults)) known[option] = kindOf(name, option, value)
  const texts: GpuText[] = []
  let onGpu = true
  const kernel = (who: string, { loop, gpu }: AnyKernel, operands: readonly string[]): UserKernel => {
    const text = gpu === undefined ? null : gpuText(who, gpu, operands)
    if (text) texts.push(text)
    onGpu &&= text !== null
    return { loop: (...call) => own(`${who}: its loop`, () => loop(...call)), gpu: text?.text ?? null }
  }
  const forward = kernel(name, given, inputs)
  const gradients = inputs.map((input): Gradient<OptionValues> | null => {
    const gradient = gradientOf(name, inputs, input, given.gradients)
    if (!gradient) return null
    const { saves } = gradient
    const who = `${name}: the gradient of ${input}`
    const saved = saves.map((each) => (each === 'output' ? each : inputs.indexOf(each)))
    if ('ops' in gradient) {
      return { saves: saved, send: (call, target, i) => byOps(who, gradient, inputs, call, i, (dx) => target.pass(dx)) }
    }
    const backward = kernel(who, gradient, ['dy', ...saves])
    const operands = ({ dy, input, output }: BackwardCall<OptionValues>): Storage[] => [
      dy,
      ...saved.map((each) => (each === 'output' ? output() : input(each))),
    ]
    return {
      saves: saved,
      send: (call, target) => target.run('defined', { kernel: backward, numbers: numbersOf(call) }, operands(call)),
    }
  })
  const numbersOf = ({ shapes, options }: Pick<Call<OptionValues>, 'shapes' | 'options'>): Numbers => {
    const more = own(`${name}: numbers`, () => given.numbers?.(shapes, options)) ?? {}
    const numbers = Object.entries({ ...options, ...more }).map(([key, value]) => {
      if (typeof value !== 'number' && typeof value !== 'boolean')
        throw new DefinedOpError(`${name}: numbers has ${key} as ${showValue(value)}; it must be a number`)
      return [key, Number(value)] as const
    })
    return Object.fromEntries(numbers)
  }
  const op: Op<OptionValues> = {
    name,
    shape: (shapes, options) => {
      const shape = given.shape ? own(`${name}: shape`, () => given.shape?.(shapes, options)) : sameShapes(name, shapes)
      const numbers = numbersOf({ shapes, options })
      const missing = texts.flatMap((text) => text.numbers).find((number) => !Object.hasOwn(numbers, number))
      if (missing !== undefined)
        throw new DefinedOpError(
          `${name}: gpu reads the number '${missing}', which is neither in options nor in numbers`,
        )
      return ownShape(name, shape as Shape)
    },
    settings: (options) => Object.fromEntries(Object.entries(options).map(([key, value]) => [key, Number(value)])),
    forward: (call) =>
      call.device.run('defined', { kernel: forward, numbers: numbersOf(call) }, call.inputs, [call.output]),
    gradients,
    samples: [],
  }
  const signature = Object.fromEntries(inputs.map((input) => [input, TENSOR]))
  return define(op, { ...signature, options: optionsOf(known) }, (...all: never[]) => {
    const tensors: Tensor[] = all.slice(0, inputs.length)
    if (!onGpu && tensors[0].device.kind === 'gpu')
      throw new DeviceError(`${name}: it is not defined for the gpu device: give gpu beside each loop`)
    const chosen = Object.entries(all[inputs.length] ?? {}).filter(([, value]) => value !== undefined)
    return apply(op, tensors, { ...defaults, ...Object.fromEntries(chosen) })
  })
}

function checkNames(name: string, inputs: readonly unknown[]): void {
  if (!/^[a-z]\w*$/i.test(name))
    throw new ArgumentError(`defineOp: name ${showValue(name)} is not the name of a function`)
  const wrong = inputs.find((input, i) => {
    const isName = typeof input === 'string' && /^[a-z]\w*$/i.test(input)
    return !isName || ['dy', 'output', 'options'].includes(input) || inputs.indexOf(input) !== i
  })
  if (inputs.length > 0 && wrong === undefined) return
  throw new ArgumentError(
    `${name}: inputs must be different names, such as ['x', 'weight'], none of them dy, output or options` +
      (wrong === undefined ? '' : `; there is ${showValue(wrong)}`),
  )
}

function kindOf(name: string, option: string, value: unknown): Kind {
  if (typeof value === 'boolean') return BOOLEAN
  if (typeof value === 'number' && Number.isFinite(value)) return NUMBER
  throw new ArgumentError(
    `${name}: the default of ${option} is ${showValue(value)}; it must be a number, true or false`,
  )
}

/** The gradient of one input, checked. */
function gradientOf(
  name: string,
  inputs: readonly string[],
  input: string,
  gradients: Readonly<Record<string, AnyGradient | null>>,
): AnyGradient | null {
  const others = Object.keys(gradients).filter((key) => !inputs.includes(key))
  if (others.length > 0) throw new ArgumentError(`${name}: gradients has ${showValue(others[0])}, which is no input`)
  const gradient = gradients[input]
  const who = `${name}: the gradient of ${input}`
  if (gradient === undefined) throw new ArgumentError(`${who} is missing; give null if there is none`)
  if (gradient === null) return null
  checkArgument(name, `gradients.${input}`, gradient, OBJECT)
  checkArgument(name, `gradients.${input}`, gradient, 'ops' in gradient ? BY_OPS : BY_LOOP)
  const { saves } = gradient
  const wrong = saves.find((each, i) => !(each === 'output' || inputs.includes(each)) || saves.indexOf(each) !== i)
  if (wrong === undefined) return gradient
  const names = [...inputs, 'output'].join(', ')
  throw new ArgumentError(`${who} saves ${showValue(wrong)}; it can save each of ${names} once`)
}

function sameShapes(name: string, [first, ...others]: readonly Shape[]): Shape {
  const other = others.find((shape) => !sameShape(first, shape))
  if (!other) return first
  throw new ShapeError(
    `${name}: the inputs have shapes ${showShape(first)} and ${showShape(other)}; without a rule 'shape' they must be the same`,
  )
}

/** The gradient by ops: on the saved values as tensors, in a scope of its own. */
function byOps(
  who: string,
  { saves, ops }: Extract<AnyGradient, { ops: unknown }>,
  inputs: readonly string[],
  call: BackwardCall<OptionValues>,
  index: number,
  pass: (dx: Storage) => void,
): void {
  const { device, shape, shapes, options } = call
  const asTensor = (storage: Storage, of: Shape): Tensor => {
    device.retain(storage)
    return adopt(new Tensor(device, storage, of))
  }
  scope(device, () => {
    const given: Record<string, Tensor> = { dy: asTensor(call.dy, shape) }
    for (const name of [...inputs, 'output']) {
      const at = inputs.indexOf(name)
      if (saves.includes(name))
        given[name] = at < 0 ? asTensor(call.output(), shape) : asTensor(call.input(at), shapes[at])
      else
        Object.defineProperty(given, name, {
          get: () => {
            throw new DefinedOpError(`${who} reads ${name}, which it does not save: saves: [..., '${name}']`)
          },
        })
    }
    const dx: unknown = own(who, () => noGrad(device, () => ops(given, options)))
    if (!(dx instanceof Tensor) || dx.device !== device)
      throw new DefinedOpError(`${who} returned ${showValue(dx)}; it must return a tensor of its device`)
    if (!sameShape(dx.shape, shapes[index]))
      throw new ShapeError(
        `${who} has shape ${showShape(dx.shape)}, and ${inputs[index]} has ${showShape(shapes[index])}`,
      )
    pass(dx.storage(who))
  })
}

/** Run a function of the user, which must be synchronous. */
function own<T>(who: string, fn: () => T): T {
  let result: T
  try {
    result = fn()
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause
    throw new DefinedOpError(`${who} threw: ${reasonOf(cause)}`, { cause })
  }
  if (!isPromise(result)) return result
  forget(result)
  throw new DefinedOpError(`${who} returned a Promise; it must be synchronous`)
}
