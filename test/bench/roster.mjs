/**
 * The roster of peers: for each, the threads it can use, the command that starts its process, and settings to choose
 * from.
 */
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** Debian's Python, which has the package python3-torch; another python3 on the PATH has no torch. */
const PYTHON = '/usr/bin/python3'
/** The Node for Sluice, which can differ from the Node of the peers. The name NODE is taken: npm sets it. */
const SLUICE_NODE = process.env.SLUICE_NODE ?? process.execPath

const tfjs = (backend) => (workload, threads) => [process.execPath, here('peers/tfjs.mjs'), workload, threads, backend]

/**
 * PyTorch's times vary by a factor of 2 with two settings that have nothing to do with its kernels: whether idle
 * threads spin, and whether freed memory goes back to the system. So PyTorch runs in every combination, and the best
 * one counts.
 */
const WAITS = ['ACTIVE', 'PASSIVE'].map((policy) => ({ OMP_WAIT_POLICY: policy }))
const MALLOCS = [{}, { MALLOC_MMAP_THRESHOLD_: '1000000000', MALLOC_TRIM_THRESHOLD_: '2000000000' }]
const TORCH_SETTINGS = WAITS.flatMap((wait) => MALLOCS.map((malloc) => ({ ...wait, ...malloc })))

/**
 * name -> { command: (workload, threads) => words, environment?: (threads) => variables,
 *           settings?: variables to choose the best of, limit?: [most threads, why] }
 */
export const PEERS = {
  sluice: { command: (workload, threads) => [SLUICE_NODE, here('peers/sluice.mjs'), workload, threads] },
  'sluice-relaxed': {
    command: (workload, threads) => [SLUICE_NODE, here('peers/sluice.mjs'), workload, threads, 'relaxed'],
  },
  pytorch: {
    command: (workload, threads) => [PYTHON, here('peers/pytorch.py'), workload, threads],
    environment: (threads) => ({ OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` }),
    settings: TORCH_SETTINGS,
  },
  'jax-js': { command: (workload, threads) => [process.execPath, here('peers/jax.mjs'), workload, threads] },
  'tfjs-wasm': { command: tfjs('wasm'), limit: [1, 'its build with threads does not start in Node'] },
  'tfjs-cpu': { command: tfjs('cpu'), limit: [1, 'plain JavaScript has one thread'] },
  convnetjs: {
    command: (workload) => [process.execPath, here('peers/convnet.mjs'), workload],
    limit: [1, 'plain JavaScript has one thread'],
  },
}
