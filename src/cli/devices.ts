/** `sluice devices`: what this machine offers, and why something is missing. */
import { availableThreads, canThread, simdVariants } from '../../kernels/simd/index.js'
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

const OFFERS: readonly Offer[] = [
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
  { device: 'gpu', available: false, float: null, limitBytes: null, note: 'not in this version' },
]

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
    for (const offer of OFFERS) {
      if (values.json) emit(io, 'device', offer)
      else io.out(`${describe(offer)}\n`)
    }
    return EXIT.done
  },
}

function describe({ device, available, float, limitBytes, note }: Offer): string {
  const limits = available && limitBytes !== null ? `${float}   up to ${formatBytes(limitBytes)}   ` : ''
  return `${device.padEnd(10)} ${available ? 'available' : 'missing  '}   ${limits}${note}`
}
