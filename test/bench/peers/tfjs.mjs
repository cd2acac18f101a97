/** TensorFlow.js. Arguments: WORKLOAD THREADS BACKEND (cpu, wasm). */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Absent } from '../absent.mjs'
import { serve } from '../serve.mjs'
import { make } from './tfjs-steps.mjs'

const [, , , threads, backend] = process.argv
const require = createRequire(import.meta.url)
const tf = require('@tensorflow/tfjs')

async function start() {
  if (backend === 'wasm') {
    const wasm = require('@tensorflow/tfjs-backend-wasm')
    wasm.setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '/'))
    if (Number(threads) > 1) {
      tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true)
      wasm.setThreadsCount(Number(threads))
    }
  }
  await tf.setBackend(backend)
  await tf.ready()
  if (tf.getBackend() !== backend) throw new Absent(`tfjs has no ${backend} backend here`)
}

serve(
  () => tf.version['tfjs-core'],
  async (workload) => {
    await start()
    return make(tf, workload)
  },
)
