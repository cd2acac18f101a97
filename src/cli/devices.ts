/** `sluice devices`: what this machine offers, and why something is missing. */
import { availableThreads, canThread, simdVariants } from '../../kernels/simd/index.js'
import { DeviceError } from '../device/errors.js'
import { LARGEST_HEAP_BYTES } from '../device/heap-device.js'
import { formatBytes } from '../memory/bytes.js'
import { type Command, EXIT, emit } from './io.js'
import { describeOptions, parseOptions } from './options.js'

const OPTIONS = {
  json: { type: 'boolean', help: 'one JSON object a line, for programs' },
  help: { type: 'boolean', help: 'this text' },
} as const

interface Offer {
  device: string
  available: boolean
  /** of its tensors */
  float: 'float32' | 'float64' | null
  /** the largest budget */
  limitBytes: number | null
  note: string
}

function describeKernels(): string {
  const [variant] = simdVariants()
  if (variant === undefined) return 'one thread; plain loops: this platform has no WebAssembly SIMD'
  const threads = availableThreads()
  const instructions = variant === 'relaxed' ? 'SIMD with fused multiply-add' : 'SIMD'
  const why = canThread ? '' : ': this platform cannot start threads on shared memory (Node can from 20.16 on)'
  return `${instructions}, ${threads === 1 ? 'one thread' : `${threads} threads`}${why}`
}

const HEAPS: readonly Offer[] = [
  {
    device: 'cpu',
    available: true,
    float: 'float32',
    limitBytes: LARGEST_HEAP_BYTES,
    note: describeKernels(),
  },
  {
    device: 'reference',
    available: true,
    float: 'float64',
    limitBytes: LARGEST_HEAP_BYTES,
    note: 'one thread; plain loops, the definition of every op',
  },
]

/** Whether there is one is known only by opening it. */
async function gpuOffer(): Promise<Offer> {
  const gpu = { device: 'gpu', float: 'float32', limitBytes: null } as const
  try {
    const { openGpu } = await import('../device/gpu/gpu-device.js')
    const device = await openGpu(LEAST_GPU_BYTES, {})
    const note = device.renderer
    await device.close()
    return { ...gpu, available: true, note }
  } catch (error) {
    if (error instanceof DeviceError) return { ...gpu, available: false, float: null, note: error.message }
    throw error
  }
}

/** Enough to be opened. */
const LEAST_GPU_BYTES = 2 ** 20

export const devices: Command = {
  name: 'devices',
  summary: 'what this machine offers, and why something is missing',
  help: () =>
    `Usage: sluice devices [options]

Lists the devices of --device.

${describeOptions(OPTIONS)}
`,
  async run(args, io) {
    const { values } = parseOptions('devices', args, OPTIONS)
    if (values.help) {
      io.out(devices.help())
      return EXIT.done
    }
    for (const offer of [...HEAPS, await gpuOffer()]) {
      if (values.json) emit(io, 'device', offer)
      else io.out(`${describe(offer)}\n`)
    }
    return EXIT.done
  },
}

function describe({ device, available, float, limitBytes, note }: Offer): string {
  const limit = limitBytes === null ? '' : `up to ${formatBytes(limitBytes)}`
  const limits = available ? `${float}   ${limit.padEnd(11)}   ` : ''
  return `${device.padEnd(10)} ${available ? 'available' : 'missing  '}   ${limits}${note}`
}
