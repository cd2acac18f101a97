/** Sluice on the CPU. Arguments: WORKLOAD[/MICRO-BATCH] THREADS [SIMD]. */
import { readFileSync } from 'node:fs'
import { canThread } from '../../../dist/kernels/simd/index.js'
import { openDevice } from '../../../dist/src/index.js'
import { Absent } from '../absent.mjs'
import { serve } from '../serve.mjs'
import { make } from './sluice-steps.mjs'

const threads = Number(process.argv[3])
const simd = process.argv[4] ?? 'wide'

/** Opens a device. Without the check, a device would silently have one thread if the platform cannot start more. */
function open() {
  if (threads > 1 && !canThread) throw new Absent('this Node cannot start threads on shared memory')
  return openDevice('cpu', { memory: '512MiB', threads, simd })
}

serve(
  () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url)))
    return `${version}, Node ${process.versions.node}`
  },
  async (workload) => make(await open(), workload),
)
