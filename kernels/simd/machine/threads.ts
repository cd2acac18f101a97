/**
 * Worker threads for the kernels of one device: how many there can be, starting them, ending them. What they do from
 * then on is in assembly/machine/parallel.ts, on the shared memory; no message is ever sent.
 *
 * Nothing here can fail. Where a worker does not start (no SharedArrayBuffer, a content security policy, a limit) or
 * starts late, the others do its work; the main thread is always there.
 */
import { MAX_THREADS } from '../layout.js'
import { type Assembly, type Exports, moduleOf, type SimdVariant } from './module.js'
import { CALL, instantiateWithParts } from './parts.js'

interface Work {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  call: typeof CALL
  /** which of the threads it is; 0 is the main thread */
  slot: number
}

/** Ends a worker, whatever it is doing; resolves when it is gone, as far as the platform says. */
type End = () => Promise<unknown>

/**
 * A worker's life. Workers are started from text, because one that is started by a path would not survive a bundler:
 * so this function, like the one it is given, must not use a name that is not its own.
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

/** Node's own modules by name, without an import that a page or a bundler would have to follow; since Node 20.16. */
const node: typeof process.getBuiltinModule | undefined = globalThis.process?.getBuiltinModule

function startInNode(work: Work): End {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const source = `${LIFE}(process.getBuiltinModule('node:worker_threads').workerData)`
  const worker = new Worker(source, { eval: true, execArgv: [], workerData: work })
  worker.on('error', () => {})
  // A thread that waits for work keeps no process alive.
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

/** How a worker is started here, or null. Pages may share memory only if they are isolated from other origins. */
function findStart(): ((work: Work) => End) | null {
  if (typeof SharedArrayBuffer === 'undefined' || globalThis.crossOriginIsolated === false) return null
  if (node) return startInNode
  return typeof Worker === 'undefined' ? null : startInPage
}

const startHere = findStart()

/** Is it of any use to share memory? */
export const canThread = startHere !== null

/** How many threads the kernels of a device use on this machine if nobody says otherwise. */
export function availableThreads(): number {
  if (!canThread) return 1
  const cores = node ? node('node:os').availableParallelism() : navigator.hardwareConcurrency
  return Math.max(1, Math.min(MAX_THREADS, cores))
}

/** The workers of a device, started when its kernels have shown that they are worth it. */
export class Workers {
  readonly #ends: End[] = []
  /** what they are started with; null once there is nothing more to start, so that nothing here holds the memory */
  #waiting: { variant: SimdVariant; assembly: Assembly; memory: WebAssembly.Memory } | null

  /**
   * @param assembly  the main thread's, on shared memory
   * @param threads   the main thread and as many workers as make up this number
   */
  constructor(
    variant: SimdVariant,
    assembly: Assembly,
    memory: WebAssembly.Memory,
    readonly threads: number,
  ) {
    this.#waiting = { variant, assembly, memory }
  }

  /** To be called after a kernel. */
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
      // Then there are fewer.
    }
  }

  /** @returns resolves when they are gone */
  async close(): Promise<void> {
    this.#waiting = null
    await Promise.allSettled(this.#ends.splice(0).map((end) => end()))
  }
}

/** Ends the workers of a device that was dropped without being closed: they would hold its memory for ever. */
export const dropped = new FinalizationRegistry<Workers>((workers) => void workers.close())
