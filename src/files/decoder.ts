/**
 * Image files decoded by worker threads, with sharp. The files are read where they are decoded, so the main thread only gets
 * pixels, in memory that all threads share.
 *
 * Note [Text]
 *   A worker is started from the text of a function, because a path would not survive a bundler. So `life` uses no name
 *   from outside, not even an import: what it needs, it gets with its work.
 */

import { createRequire } from 'node:module'
import type { Worker } from 'node:worker_threads'
import { DataError } from '../data/index.js'
import { reasonOf } from '../memory/errors.js'

/** How an image becomes one of the wanted size: 'cover' cuts off what goes beyond it, 'fill' distorts. */
export type Fit = 'cover' | 'fill'

/** One image to decode: pixel (y, x) of channel c goes to pixels[at + (c * height + y) * width + x]. */
export interface Order {
  readonly path: string
  readonly pixels: Uint8Array
  readonly at: number
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly fit: Fit
  /** take the nearest pixel, as labels want it; else colours are averaged */
  readonly nearest: boolean
}

/** An image may be so large, in pixels, before it is shrunk: 8192 x 8192. */
const MOST_PIXELS = 2 ** 26

/** How long a worker without work is kept. */
const IDLE_MS = 5000

/** Orders that a worker has at a time: the one that it decodes, and the next. */
const IN_HAND = 2

/** The life of a worker: see Note [Text]. */
function life(): void {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
  const sharp = process.getBuiltinModule('node:module').createRequire(workerData.from)('sharp')
  const decode = async ({ path, pixels, at, height, width, channels, fit, nearest }: Order) => {
    let image = sharp(path, { limitInputPixels: workerData.mostPixels, failOn: 'error' }).rotate()
    image = image.removeAlpha().toColourspace(channels === 1 ? 'b-w' : 'srgb')
    image = image.resize(width, height, { fit, kernel: nearest ? 'nearest' : 'lanczos3', fastShrinkOnLoad: !nearest })
    const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    for (let c = 0; c < channels; c++) {
      const from = Math.min(c, info.channels - 1)
      const plane = at + c * height * width
      for (let i = 0; i < height * width; i++) pixels[plane + i] = data[i * info.channels + from]
    }
  }
  parentPort?.on('message', async ({ id, order }: { id: number; order: Order }) => {
    let reason: string | null = null
    try {
      await decode(order)
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
    }
    parentPort?.postMessage({ id, reason })
  })
}

interface Job {
  readonly order: Order
  /** @param reason  why it could not be decoded; null: it was */
  done(reason: string | null): void
}

/** A few worker threads that decode images. They start with the first order, and end when there was none for a while. */
export class Decoders {
  readonly #count: number
  readonly #waiting: Job[] = []
  readonly #hands = new Map<Worker, Map<number, Job>>()
  #next = 0
  #idle: ReturnType<typeof setTimeout> | undefined

  /** @param count  how many threads */
  constructor(count: number) {
    this.#count = count
  }

  /**
   * Decode images.
   * @returns for each order, why it could not be decoded, or null
   * @throws DataError  sharp is not installed, or a worker ended
   */
  async decode(orders: readonly Order[]): Promise<(string | null)[]> {
    clearTimeout(this.#idle)
    const results = orders.map((order) => new Promise<string | null>((done) => this.#waiting.push({ order, done })))
    needSharp()
    while (this.#hands.size < Math.min(this.#count, this.#waiting.length)) this.#start()
    for (const [worker] of this.#hands) this.#feed(worker)
    return Promise.all(results)
  }

  #start(): void {
    const { Worker } = process.getBuiltinModule('node:worker_threads')
    const workerData = { from: import.meta.url, mostPixels: MOST_PIXELS }
    const worker = new Worker(`(${life})()`, { eval: true, execArgv: [], workerData })
    const hand = new Map<number, Job>()
    this.#hands.set(worker, hand)
    worker.on('message', ({ id, reason }: { id: number; reason: string | null }) => {
      const job = hand.get(id)
      hand.delete(id)
      this.#feed(worker)
      job?.done(reason)
    })
    const lost = (reason: string): void => {
      if (!this.#hands.delete(worker)) return
      const left = [...hand.values(), ...(this.#hands.size === 0 ? this.#waiting.splice(0) : [])]
      for (const job of left) job.done(reason)
    }
    worker.on('error', (error: unknown) => lost(`its decoder ended: ${reasonOf(error)}`))
    worker.on('exit', () => lost('its decoder ended'))
  }

  /** Give a worker what it can take. Without work it does not keep the process alive, and ends after a while. */
  #feed(worker: Worker): void {
    const hand = this.#hands.get(worker)
    if (!hand) return
    while (hand.size < IN_HAND) {
      const job = this.#waiting.shift()
      if (!job) break
      const id = this.#next++
      hand.set(id, job)
      worker.postMessage({ id, order: job.order })
    }
    if (hand.size > 0) worker.ref()
    else worker.unref()
    if ([...this.#hands.values()].some(({ size }) => size > 0)) return
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.#end(), IDLE_MS)
    this.#idle.unref?.()
  }

  #end(): void {
    for (const [worker] of this.#hands) void worker.terminate()
    this.#hands.clear()
  }
}

/** @throws DataError  sharp is not installed */
export function needSharp(): void {
  try {
    createRequire(import.meta.url).resolve('sharp')
  } catch (cause) {
    throw new DataError('images are decoded by sharp, which is not installed: npm install sharp', { cause })
  }
}
