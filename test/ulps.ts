/**
 * Measures the errors of the SIMD functions of one number over all 2^32 float32 numbers:
 *
 *   npm run build && node dist/test/ulps.js exp tanh    # or others; one to three minutes for each
 *
 * The reference is the definition in double precision (kernels/functions.ts). An error is counted in units in the last
 * place of the result: the distance between float32 numbers there, which is 2^-149 for subnormal numbers. A perfectly
 * rounded result has an error of at most 0.5. If NaN or infinity is in the wrong place, the error is infinite. All
 * modules that this platform can run are measured: Node 24 has all three, Node 20 only `baseline`.
 */
import { UNARY, type UnaryFunction } from '../kernels/functions.js'
import { instantiate, RUNTIME_BYTES, simd } from '../kernels/simd/index.js'
import { variants } from './variants.js'

const PIECE = 2 ** 16
const PIECES = 2 ** 32 / PIECE
const BYTES = 4 * PIECE

const modules = variants.map((variant) => {
  const memory = new WebAssembly.Memory({ initial: 10, maximum: 10 })
  const [input, output] = [RUNTIME_BYTES, RUNTIME_BYTES + BYTES]
  return {
    variant,
    input,
    output,
    assembly: instantiate(variant, memory),
    bits: new Uint32Array(memory.buffer, input, PIECE),
    x: new Float32Array(memory.buffer, input, PIECE),
    y: new Float32Array(memory.buffer, output, PIECE),
    worst: 0,
    worstAt: Number.NaN,
  }
})

/** For each sign and exponent of a double, its upper 12 bits: 1 / the distance between float32 numbers of that exponent. */
const STEPS = Float64Array.from({ length: 4096 }, (_, upper) => 2 ** (23 - Math.max(-126, (upper & 2047) - 1023)))
const double = new Float64Array(1)
const upper = new Uint32Array(double.buffer)

function errorOf(y: number, truth: number): number {
  if (Object.is(y, Math.fround(truth)) && !Number.isFinite(y)) return 0
  double[0] = truth
  // Infinity counts as the number after the largest.
  const reached = y === Infinity ? 2 ** 128 : y === -Infinity ? -(2 ** 128) : y
  const error = Math.abs(reached - truth) * STEPS[upper[1] >>> 20]
  return Number.isNaN(error) ? Infinity : error
}

/** Measures the numbers of one piece, in all modules. */
function sweepPiece(name: UnaryFunction, piece: number, truths: Float64Array): void {
  const { f } = UNARY[name]
  const [{ x }] = modules
  for (const { assembly, bits, input, output } of modules) {
    for (let i = 0; i < PIECE; i++) bits[i] = piece * PIECE + i
    simd.unary?.run(assembly, { size: PIECE, function: name, a: 0, b: 0 }, [input], [output], 0)
  }
  for (let i = 0; i < PIECE; i++) truths[i] = f(x[i], 0, 0)
  for (const module of modules) {
    const { y } = module
    for (let i = 0; i < PIECE; i++) {
      const error = errorOf(y[i], truths[i])
      if (error <= module.worst) continue
      module.worst = error
      module.worstAt = x[i]
    }
  }
}

const names = process.argv.slice(2) as UnaryFunction[]
for (const name of names) {
  if (!Object.hasOwn(UNARY, name)) throw new Error(`${name} is not a function of one number`)
  for (const module of modules) module.worst = 0
  const truths = new Float64Array(PIECE)
  for (let piece = 0; piece < PIECES; piece++) sweepPiece(name, piece, truths)
  for (const { variant, worst, worstAt } of modules) {
    console.log(`${name}, ${variant}: ${worst.toFixed(3)} units in the last place, at ${worstAt}`)
  }
}
