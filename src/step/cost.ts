/**
 * An estimate of the time that an instruction takes, from its operations and the bytes that it moves. Only ratios of
 * these times matter.
 */
import type { KernelParameters } from '../../kernels/kernels.js'
import type { Planned } from '../device/instruction.js'

/** Multiplications and additions in a second, and bytes moved in a second, of one core of a current CPU. */
const FLOPS = 30e9
const BYTES_PER_SECOND = 8e9

/** The estimated time, in seconds. */
export function timeOf({ name, parameters, reads, writes }: Planned): number {
  const bytes = [...reads, ...writes].reduce((sum, storage) => sum + storage.bytes, 0)
  return Math.max(flopsOf(name, parameters) / FLOPS, bytes / BYTES_PER_SECOND)
}

function flopsOf(name: string, parameters: unknown): number {
  if (name === 'matmul') {
    const { batch, m, k, n } = parameters as KernelParameters['matmul']
    return 2 * batch * m * k * n
  }
  if (!name.startsWith('convolution')) return 0
  const { batch, channels, outChannels, outHeight, outWidth, kernelHeight, kernelWidth, groups } =
    parameters as KernelParameters['convolution']
  return (2 * batch * outChannels * outHeight * outWidth * channels * kernelHeight * kernelWidth) / groups
}
