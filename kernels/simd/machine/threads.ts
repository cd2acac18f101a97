/**
 * Starts and ends the worker threads of a device. From then on they run assembly/machine/parallel.ts on the shared
 * memory; no message is ever sent.
 *
 * Nothing here can fail. If a worker does not start (no SharedArrayBuffer, a content security policy, a limit) or
 * starts late, the other threads do its work; the main thread always runs.
 */
import { MAX_THREADS } from '../layout.js'
import { type Assembly, type Exports, moduleOf, type SimdVariant } from './module.js'
import { CALL, instantiateWithParts } from './parts.js'

interface Work {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  call: typeof CALL
  /** the number of this thread; 0 is the main thread */
  slot: number
}

/** Ends a worker at once, even if it is busy; resolves when it is gone, as far as the platform tells. */
type End = () => Promise<unknown>

/**
 * The life of a worker. Workers are started from text, because a path would not survive a bundler. So this function,
 * like `instantiate`, uses no name from outside itself.
 */
function live({ module, memory, call, slot }: Work, instantiate: typeof instantiateWithParts): void {
  const { exports } = instantiate(module, memory, call)
  const { work, fail } = exports as Exports
  try {
    work(slot)
  } catch {
    fail()
  }
}

const LIFE = `((work) => (${live})(work, ${instantiateWithParts}))`

/** Finds modules of Node by name, without an import that a page or a bundler would have to follow; since Node 20.16. */
const node: typeof process.getBuiltinModule | undefined = globalThis.process?.getBuiltinModule

function startInNode(work: Work): End {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const source = `${LIFE}(process.getBuiltinModule('node:worker_threads').workerData)`
  const worker = new Worker(source, { eval: true, execArgv: [], workerData: work })
  worker.on('error', () => {})
  // A worker that waits for work does not keep the process alive.
  worker.unref()
  return () => worker.terminate()
}

function startInPage(work: Work): End {
  const source = `onmessage = ({ data }) => ${LIFE}(data)`
  const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const worker = new Worker(address)
  worker.onerror = (event) => event.preventDefault()
  worker.postMessage(work)
  return async () => {
    worker.terminate()
    URL.revokeObjectURL(address)
  }
}

/**
 * The function that starts a worker on this platform, or null. Pages can share memory only if they are isolated from
 * other origins.
 */
function findStart(): ((work: Work) => End) | null {
  if (typeof SharedArrayBuffer === 'undefined' || globalThis.crossOriginIsolated === false) return null
  if (node) return startInNode
  return typeof Worker === 'undefined' ? null : startInPage
}

const startHere = findStart()

/** Can workers start here? If not, memory need not be shared. */
export const canThread = startHere !== null

/** The default number of threads of a device on this machine. */
export function availableThreads(): number {
  if (!canThread) return 1
  const cores = node ? node('node:os').availableParallelism() : navigator.hardwareConcurrency
  return Math.max(1, Math.min(MAX_THREADS, cores))
}

/** The workers of a device. They start when its kernels have run long enough to be worth it. */
export class Workers {
  readonly #ends: End[] = []
  /** what workers start with; null once they have started, so that nothing here holds the memory */
  #waiting: { variant: SimdVariant; assembly: Assembly; memory: WebAssembly.Memory } | null

  /**
   * @param assembly  of the main thread, on shared memory
   * @param threads   the workers and the main thread
   */
  constructor(
    variant: SimdVariant,
    assembly: Assembly,
    memory: WebAssembly.Memory,
    readonly threads: number,
  ) {
    this.#waiting = { variant, assembly, memory }
  }

  /** Called after each kernel. */
  startIfWanted(): void {
    if (this.#waiting?.assembly.wantsWorkers()) this.start()
  }

  start(): void {
    if (!this.#waiting) return
    const { variant, memory } = this.#waiting
    this.#waiting = null
    const module = moduleOf(variant, true)
    try {
      for (let slot = 1; slot < this.threads && startHere; slot++) {
        this.#ends.push(startHere({ module, memory, call: CALL, slot }))
      }
    } catch {
      // the device then works with fewer threads
    }
  }

  /** Ends the workers; resolves when they are gone. */
  async close(): Promise<void> {
    this.#waiting = null
    await Promise.allSettled(this.#ends.splice(0).map((end) => end()))
  }
}

/**
 * Ends the workers of a device that was dropped without being closed; otherwise they would keep its memory forever.
 */
export const dropped = new FinalizationRegistry<Workers>((workers) => void workers.close())
