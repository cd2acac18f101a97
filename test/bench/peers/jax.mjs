/**
 * jax-js on its wasm backend, jitted. Arguments: WORKLOAD THREADS.
 *
 * In Node jax-js has one thread, because it starts other threads through the browser's Worker. For two threads the
 * bench gives it a Worker made from node:worker_threads.
 */
import { resolveObjectURL } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { Worker as Thread } from 'node:worker_threads'
import { serve } from '../serve.mjs'
import { make } from './jax-steps.mjs'

const threads = Number(process.argv[3])

/** The part of a browser's Worker that jax-js uses: a script behind a blob URL, and messages both ways. */
class BrowserWorker {
  #thread = null
  #waiting = []

  constructor(url) {
    const prelude = `
      const { parentPort } = require('node:worker_threads')
      globalThis.self = globalThis
      globalThis.postMessage = (message) => parentPort.postMessage(message)
      parentPort.on('message', (data) => self.onmessage({ data }))
    `
    const start = async () => {
      this.#thread = new Thread(prelude + (await resolveObjectURL(String(url)).text()), { eval: true })
      this.#thread.unref()
      this.#thread.on('message', (data) => this.onmessage?.({ data }))
      this.#thread.on('error', (error) => this.onerror?.(error))
      for (const message of this.#waiting) this.#thread.postMessage(message)
    }
    start().catch((error) => this.onerror?.(error))
  }

  postMessage(message) {
    if (this.#thread) this.#thread.postMessage(message)
    else this.#waiting.push(message)
  }

  terminate() {
    this.#thread?.terminate()
  }
}

// Node 20 has no navigator; the navigator of later versions counts the cores of the machine
Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency: threads }, configurable: true })
if (threads > 1) Object.assign(globalThis, { Worker: BrowserWorker, crossOriginIsolated: true })

const jax = await import('@jax-js/jax').catch((error) => error)

/** Waits until the whole step is computed. */
const whole = {
  compute: (array) => jax.blockUntilReady(array),
  read: async (loss, parameters) => {
    await jax.blockUntilReady(parameters)
    return loss.jsAsync()
  },
}

async function start(workload) {
  if (jax instanceof Error) throw jax
  await jax.init('wasm')
  jax.defaultDevice('wasm')
  return make(jax, workload, whole)
}

serve(() => {
  const main = import.meta.resolve('@jax-js/jax')
  return JSON.parse(readFileSync(new URL('../package.json', main))).version
}, start)
