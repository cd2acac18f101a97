/**
 * The module `wide`, whose kernels work on vectors of 256 bits.
 *
 * WebAssembly has vectors of 128 bits. V8's optimising compiler can fuse two neighbouring ones into one of 256 (AVX2),
 * behind the option --experimental-wasm-revectorize, which a process of Node can switch while it runs. The option acts on
 * every module that V8 compiles meanwhile, so it is on only while V8 compiles this one: V8 compiles a function once it
 * has run for a while, so the functions that matter are run until they are fast. After that the option is as it was
 * before. No other option is touched, because V8 ends the process at some that change while it runs.
 *
 * Whether V8 fuses is measured and never assumed: Node 22 has the option, but leaves the tile as it is, which is then
 * slower than that of `relaxed`. And because the option is an experiment of V8, `wide` must give the bits of `relaxed`.
 */
import { RUNTIME_BYTES } from '../layout.js'
import { direct } from './bands.js'
import { blocking } from './blocking.js'
import { BandSizes } from './compiled.js'
import { type Assembly, addSource, instantiate, simdVariants } from './module.js'

const OPTION = 'experimental-wasm-revectorize'
/** The first version of V8 that has the option, in Node 22. An older one complains on the console if it is set. */
const FIRST_V8 = 12

/** `wide` is adopted if its tiles are this much faster than those of `relaxed`: fused tiles are 1.6 to 2.1 times as fast. */
const FASTER = 1.25
/** An exercise runs this long at a time. */
const TURN_MS = 0.15
/** A time is better than another if it is this much shorter: then V8 has compiled something. */
const BETTER = 0.9
/** The rounds without a better time after which `wide` is adopted if it is faster, and after which it is refused. */
const ROUNDS_TO_ADOPT = 8
const ROUNDS_TO_REFUSE = 60

/** Operands of the exercises: two of 64 KiB, a result of 128, and the workspace. */
const [A, B, Y, WORKSPACE] = [0, 1, 2, 4].map((part) => RUNTIME_BYTES + part * 65536)
const PAGES = 16

type Exercise = (assembly: Assembly) => void

const [M, N, K] = [64, 64, 256]
const { depth, blockHeight } = blocking(M, N, K, { slots: 1 })
const product: Exercise = (assembly) => assembly.matmul(A, B, 0, Y, M, N, K, 0, 0, 1, WORKSPACE, depth, blockHeight, 1)

const image = {
  ...{ batch: 2, channels: 1, height: 28, width: 28, outChannels: 16, outHeight: 28, outWidth: 28, groups: 1 },
  ...{ kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, padY: 1, padX: 1, dilationY: 1, dilationX: 1 },
}
const bands = direct(image)
const convolution: Exercise = (assembly) => {
  if (bands) assembly.store(WORKSPACE, BandSizes(image, bands))
  assembly.convolutionDirect(A, B, 0, Y, 0, WORKSPACE)
}

/** The functions with a tile, whose speed decides. */
const TILES: readonly Exercise[] = [product, convolution]

const LENGTH = 4096
const UNARY = ['exp', 'tanh', 'sigmoid', 'silu', 'gelu'] as const
const SLOPES = ['siluGradient', 'geluGradient'] as const
/** Elementwise functions that compute for longer than memory takes. */
const FUNCTIONS: readonly Exercise[] = [
  ...UNARY.map(
    (name): Exercise =>
      (assembly) =>
        assembly[name](LENGTH, A, Y, 0, 0),
  ),
  ...SLOPES.map(
    (name): Exercise =>
      (assembly) =>
        assembly[name](LENGTH, A, B, Y, 0, 0),
  ),
]
/** Runs of a function after which V8 compiles it. */
const WARM_UP = 64

/** A module on a memory of its own. */
class Trial {
  readonly #memory: WebAssembly.Memory
  readonly #assembly: Assembly
  /** what the operands hold at first */
  readonly #numbers: Float32Array
  /** the shortest time of each exercise so far */
  readonly bestMs = new Map<Exercise, number>()

  constructor(variant: 'wide' | 'relaxed', shared: boolean, numbers: Float32Array) {
    this.#numbers = numbers
    this.#memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared })
    this.#assembly = instantiate(variant, this.#memory)
    this.#fill()
  }

  #fill(): void {
    new Float32Array(this.#memory.buffer, A, this.#numbers.length).set(this.#numbers)
  }

  warmUp(exercise: Exercise): void {
    for (let run = 0; run < WARM_UP; run++) exercise(this.#assembly)
  }

  /** Runs an exercise for a turn; is its time better than before? */
  play(exercise: Exercise): boolean {
    const started = performance.now()
    let runs = 0
    let ms = 0
    do {
      exercise(this.#assembly)
      runs++
      ms = performance.now() - started
    } while (ms < TURN_MS)
    const best = this.bestMs.get(exercise) ?? Infinity
    this.bestMs.set(exercise, Math.min(best, ms / runs))
    return ms / runs < best * BETTER
  }

  /** The bits that an exercise computes. */
  bits(exercise: Exercise): Uint32Array {
    this.#fill()
    exercise(this.#assembly)
    return new Uint32Array(this.#memory.buffer, Y, (WORKSPACE - Y) / 4).slice()
  }
}

/** The smallest gain of a tile of `wide`: time of `relaxed` / time of `wide`. */
const gain = (wide: Trial, relaxed: Trial): number =>
  Math.min(...TILES.map((tile) => (relaxed.bestMs.get(tile) ?? 0) / (wide.bestMs.get(tile) ?? Infinity)))

/** Runs the functions until V8 has compiled and fused them; returns the reason why that did not happen, or null. */
function prepare(shared: boolean): string | null {
  const numbers = Float32Array.from({ length: (WORKSPACE - A) / 4 }, (_, i) => 2 * Math.sin(i))
  const wide = new Trial('wide', shared, numbers)
  const relaxed = new Trial('relaxed', shared, numbers)
  for (const exercise of FUNCTIONS) wide.warmUp(exercise)
  const trials = [
    ...TILES.flatMap((tile) => [wide, relaxed].map((trial) => () => trial.play(tile))),
    ...FUNCTIONS.map((exercise) => () => wide.play(exercise)),
  ]
  let calm = 0
  while (calm < ROUNDS_TO_ADOPT || (calm < ROUNDS_TO_REFUSE && gain(wide, relaxed) < FASTER)) {
    const better = trials.map((play) => play())
    calm = better.includes(true) ? 0 : calm + 1
  }
  const gained = gain(wide, relaxed)
  if (gained < FASTER) {
    return `V8 ${process.versions.v8} does not fuse vectors here: with it, products had ${gained.toFixed(2)} times the speed`
  }
  const differs = [...TILES, ...FUNCTIONS].some((exercise) => {
    const expected = relaxed.bits(exercise)
    return wide.bits(exercise).some((bits, i) => bits !== expected[i])
  })
  return differs ? `V8 ${process.versions.v8} computes other bits with it` : null
}

/** Runs `fn` while the option is on. */
function whileFusing<T>(fn: () => T): T {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  const words = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)]
  const was = words.some((word) => word.replaceAll('_', '-') === `--${OPTION}`)
  setFlagsFromString(`--${OPTION}`)
  try {
    return fn()
  } finally {
    if (!was) setFlagsFromString(`--no-${OPTION}`)
  }
}

/** The binary of `wide`, which is deflated. Only Node runs `wide`, so Node's zlib is there. */
const inflated = (base64: string): Uint8Array =>
  process.getBuiltinModule('node:zlib').inflateSync(Buffer.from(base64, 'base64'))

/** The reason why this platform cannot have `wide` without trying, or null. */
function missing(): string | null {
  if (!globalThis.process?.getBuiltinModule || process.release?.name !== 'node') return 'only Node can switch it on'
  if (process.arch !== 'x64') return `V8 fuses vectors on x64 only, and this is ${process.arch}`
  if (Number.parseInt(process.versions.v8, 10) < FIRST_V8)
    return `V8 ${process.versions.v8} is too old: Node has it from 22 on`
  return simdVariants()[0] === 'relaxed' ? null : 'this platform has no relaxed SIMD'
}

async function adopt(shared: boolean): Promise<string | null> {
  const reason = missing()
  if (reason) return reason
  try {
    const { wide } = await import('./compiled-wide.js')
    addSource('wide', inflated(wide))
    return whileFusing(() => prepare(shared))
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const adopted = new Map<boolean, Promise<string | null>>()

/**
 * Adopts `wide` for devices with shared memory, or with memory of the other kind; the first call takes some 80 ms.
 * @returns null if devices can have it, else the reason why not
 */
export function adoptWide(shared: boolean): Promise<string | null> {
  const known = adopted.get(shared) ?? adopt(shared)
  adopted.set(shared, known)
  return known
}
