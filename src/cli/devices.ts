/** `sluice devices`: what this machine offers, and why something is missing. */
import { availableThreads, canThread, type SimdVariant, simdVariants } from '../../kernels/simd/index.js'
import type { Device } from '../device/device.js'
import { DeviceError } from '../device/errors.js'
import { LARGEST_HEAP_BYTES, whyNotWide } from '../device/heap-device.js'
import { type DeviceKind, openDevice } from '../device/open.js'
import { formatBytes } from '../memory/bytes.js'
import { offeredMemory } from '../memory/offered.js'
import { type Command, EXIT, emit } from './io.js'
import { describeExamples, describeOptions, parseOptions } from './options.js'
import type { Paint } from './paint.js'

const OPTIONS = {
  json: { type: 'boolean', help: 'one JSON object a line, for programs' },
  help: { type: 'boolean', help: 'this text' },
} as const

interface Offer {
  device: string
  available: boolean
  /** the type of its elements */
  float: 'float32' | 'float64' | null
  /** the largest budget */
  limitBytes: number | null
  note: string
}

const INSTRUCTIONS: Record<SimdVariant, string> = {
  wide: 'SIMD of 256 bits with fused multiply-add',
  relaxed: 'SIMD with fused multiply-add',
  baseline: 'SIMD',
}

async function describeKernels(): Promise<string> {
  const [variant] = simdVariants()
  if (variant === undefined) return 'one thread; plain loops: this platform has no WebAssembly SIMD'
  const notWide = await whyNotWide({})
  const threads = availableThreads()
  const why = canThread ? '' : ': this platform cannot start threads on shared memory (Node can from 20.16 on)'
  const instructions = INSTRUCTIONS[notWide ? variant : 'wide']
  return `${instructions}, ${threads === 1 ? 'one thread' : `${threads} threads`}${why}${notWide ? `; not 256 bits: ${notWide}` : ''}`
}

/** A budget that is enough to open any device. */
const memory = '1MiB'

/** Opens each device and describes it: opening it is the only way to know whether it is available. */
const KINDS: Record<DeviceKind, () => Promise<{ device: Device; note: string }>> = {
  cpu: async () => ({ device: await openDevice('cpu', { memory }), note: await describeKernels() }),
  reference: async () => ({
    device: await openDevice('reference', { memory }),
    note: 'one thread; plain loops, the definition of every op',
  }),
  gpu: async () => {
    const device = await openDevice('gpu', { memory })
    return { device, note: `${device.api === 'webgpu' ? 'WebGPU' : 'WebGL2'}: ${device.renderer}` }
  },
}

async function offerOf(name: DeviceKind): Promise<Offer> {
  try {
    const { device, note } = await KINDS[name]()
    await device.close()
    const float = device.elementBytes === 4 ? 'float32' : 'float64'
    return { device: name, available: true, float, limitBytes: name === 'gpu' ? null : LARGEST_HEAP_BYTES, note }
  } catch (error) {
    if (error instanceof DeviceError) {
      return { device: name, available: false, float: null, limitBytes: null, note: error.message }
    }
    throw error
  }
}

const EXAMPLES = {
  'sluice devices': 'a table',
  'sluice devices --json': 'a line for each device',
} as const

export const devices: Command = {
  name: 'devices',
  summary: 'what this machine offers, and why something is missing',
  help: () =>
    `Usage: sluice devices [options]

Lists the devices of --device, and the memory of which --memory 60% is a share.

${describeOptions(OPTIONS)}

${describeExamples(EXAMPLES)}
`,
  async run(args, io) {
    const { values } = parseOptions('devices', args, OPTIONS)
    if (values.help) {
      io.out(devices.help())
      return EXIT.done
    }
    for (const name of ['cpu', 'reference', 'gpu'] as const) {
      const offer = await offerOf(name)
      if (values.json) emit(io, 'device', offer)
      else io.out(`${describe(offer, io.paint)}\n`)
    }
    const memory = offeredMemory()
    if (memory && values.json) emit(io, 'memory', memory)
    else if (memory)
      io.out(
        `memory     ${formatBytes(memory.bytes)}, which this ${memory.by} offers; --memory can be a share of it, such as 60%\n`,
      )
    return EXIT.done
  },
}

function describe({ device, available, float, limitBytes, note }: Offer, paint: Paint): string {
  const limit = limitBytes === null ? '' : `up to ${formatBytes(limitBytes)}`
  const limits = available ? `${float}   ${limit.padEnd(11)}   ` : ''
  return `${device.padEnd(10)} ${available ? paint('green', 'available') : paint('yellow', 'missing  ')}   ${limits}${note}`
}
