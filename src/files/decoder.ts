/**
 * Worker threads read image files and decode them with sharp; the main thread only gets pixels. The pixels come in a few
 * slots of shared memory that are used again and again: new shared memory for each image would stay until the garbage
 * collectors of both threads have seen it.
 *
 * Note [Text]
 *   A worker is started from the text of a function, because a path would not survive a bundler. So `life` uses no name
 *   from outside, not even an import: all that it needs comes in workerData and in messages.
 */

import { createRequire } from 'node:module'
import type { Worker } from 'node:worker_threads'
import { DataError } from '../data/index.js'
import { reasonOf } from '../memory/errors.js'

/** How an image gets the wanted height and width: 'cover' scales it and cuts off what is too much, 'fill' distorts it. */
export type Fit = 'cover' | 'fill'

/** One image to decode. */
interface Task {
  readonly path: string
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly fit: Fit
  /** true: take the nearest pixel, as labels need it; false: average colours */
  readonly nearest: boolean
}

/** A task, and where its pixels go: pixel (y, x) of channel c to pixels[at + (c * height + y) * width + x]. */
export interface Order extends Task {
  readonly pixels: Uint8Array
  readonly at: number
}

/** The most pixels that a file may have: 8192 x 8192. */
const MOST_PIXELS = 2 ** 26

/** How long a worker without work is kept. */
const IDLE_MS = 5000

/** Images that a worker has at a time: the one that it decodes, and the next. */
const SLOTS = 2

/** The life of a worker: see Note [Text]. */
function life(): void {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
  const sharp = process.getBuiltinModule('node:module').createRequire(workerData.from)('sharp')
  const decode = async ({ path, height, width, channels, fit, nearest }: Task, slot: Uint8Array) => {
    let image = sharp(path, { limitInputPixels: workerData.mostPixels, failOn: 'error' }).rotate()
    image = image.removeAlpha().toColourspace(channels === 1 ? 'b-w' : 'srgb')
    image = image.resize(width, height, { fit, kernel: nearest ? 'nearest' : 'lanczos3', fastShrinkOnLoad: !nearest })
    const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    const plane = height * width
    for (let c = 0; c < channels; c++) {
      const from = Math.min(c, info.channels - 1)
      for (let i = 0; i < plane; i++) slot[c * plane + i] = data[i * info.channels + from]
    }
  }
  parentPort?.on('message', async ({ slot, task }: { slot: number; task: Task }) => {
    let reason: string | null = null
    try {
      await decode(task, workerData.slots[slot])
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
    }
    parentPort?.postMessage({ slot, reason })
  })
}

interface Job {
  readonly order: Order
  /** @param reason  why the image could not be decoded; null: it is decoded */
  done(reason: string | null): void
}

/** A worker, its slots, and the job of each slot; null: the slot is free. */
interface Hand {
  readonly worker: Worker
  readonly slots: readonly Uint8Array[]
  readonly jobs: (Job | null)[]
}

/** A few worker threads that decode images. They start with the first order, and end when there was none for a while. */
export class Decoders {
  readonly #count: number
  readonly #slotBytes: number
  readonly #waiting: Job[] = []
  readonly #hands = new Set<Hand>()
  #idle: ReturnType<typeof setTimeout> | undefined

  /**
   * @param count      how many threads
   * @param slotBytes  the bytes of the largest decoded image
   */
  constructor(count: number, slotBytes: number) {
    this.#count = count
    this.#slotBytes = slotBytes
  }

  /**
   * Decode images.
   * @returns for each order, why it could not be decoded, or null
   * @throws DataError  sharp is not installed
   */
  async decode(orders: readonly Order[]): Promise<(string | null)[]> {
    clearTimeout(this.#idle)
    needSharp()
    const results = orders.map((order) => new Promise<string | null>((done) => this.#waiting.push({ order, done })))
    while (this.#hands.size < Math.min(this.#count, this.#waiting.length)) this.#start()
    for (const hand of this.#hands) this.#feed(hand)
    return Promise.all(results)
  }

  #start(): void {
    const { Worker } = process.getBuiltinModule('node:worker_threads')
    const slots = Array.from({ length: SLOTS }, () => new Uint8Array(new SharedArrayBuffer(this.#slotBytes)))
    const workerData = { from: import.meta.url, mostPixels: MOST_PIXELS, slots }
    const worker = new Worker(`(${life})()`, { eval: true, execArgv: [], workerData })
    const hand: Hand = { worker, slots, jobs: slots.map(() => null) }
    this.#hands.add(hand)
    worker.on('message', ({ slot, reason }: { slot: number; reason: string | null }) => {
      const job = hand.jobs[slot]
      if (job && reason === null) {
        const { pixels, at, channels, height, width } = job.order
        pixels.set(slots[slot].subarray(0, channels * height * width), at)
      }
      hand.jobs[slot] = null
      this.#feed(hand)
      job?.done(reason)
    })
    const lost = (reason: string): void => {
      if (!this.#hands.delete(hand)) return
      const left = [...hand.jobs, ...(this.#hands.size === 0 ? this.#waiting.splice(0) : [])]
      for (const job of left) job?.done(reason)
    }
    worker.on('error', (error: unknown) => lost(`its decoder ended: ${reasonOf(error)}`))
    worker.on('exit', () => lost('its decoder ended'))
  }

  /** Give a worker a job for each free slot. A worker without jobs does not keep the process alive, and ends after a while. */
  #feed({ worker, jobs }: Hand): void {
    jobs.forEach((taken, slot) => {
      const job = taken ?? this.#waiting.shift()
      if (taken || !job) return
      jobs[slot] = job
      const { pixels, at, ...task } = job.order
      worker.postMessage({ slot, task })
    })
    if (jobs.some((job) => job !== null)) worker.ref()
    else worker.unref()
    if ([...this.#hands].some((hand) => hand.jobs.some((job) => job !== null))) return
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.#end(), IDLE_MS)
    this.#idle.unref?.()
  }

  #end(): void {
    for (const { worker } of this.#hands) void worker.terminate()
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
