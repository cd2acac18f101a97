/** A training in a worker: it can be paused, asked for a class between two steps, saved, and gone on with. */
import { checkpointToSafetensors, type Device, loadCheckpoint, openDevice, SluiceError, type StepResult } from 'sluice'
import { microOf, setsOf, streamerOf } from './job'
import { countsOf, inputShapeOf } from './samples'
import type { Settings } from './settings'

/** The text in a saved file that has the address of the page. */
export const ADDRESS = 'sluice.lab'

export type Step = Pick<StepResult, 'epoch' | 'step' | 'samples' | 'loss' | 'peakBytes' | 'plannedPeakBytes' | 'ms'>

export interface Epoch {
  readonly epoch: number
  readonly step: number
  readonly trainLoss: number
  readonly testLoss: number
  readonly accuracy: number
  readonly imagesPerSecond: number
}

export type Told =
  | { type: 'started'; budgetBytes: number; instructions: string; threads: boolean }
  | { type: 'micro'; done: number; of: number }
  | { type: 'step'; step: Step; ofParts: number }
  | { type: 'epoch'; epoch: Epoch }
  | { type: 'ended'; why: 'done' | 'stopped' }
  | { type: 'failed'; message: string }
  | { type: 'saved'; bytes: Uint8Array; step: number }
  | { type: 'loaded'; step: number; testLoss: number; accuracy: number }
  | { type: 'classified'; id: number; outputs: Float64Array }

export type Asked =
  | { type: 'train'; settings: Settings; goOn: boolean }
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'stop' }
  | { type: 'forget' }
  | { type: 'save'; address: string }
  | { type: 'load'; settings: Settings; bytes: Uint8Array }
  | { type: 'classify'; id: number; pixels: Float32Array }

/** Let messages come in. A timer would wait for milliseconds. */
const breathe = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })

interface Run {
  readonly settings: Settings
  readonly device: Device
  readonly streamer: ReturnType<typeof streamerOf>
  readonly sets: ReturnType<typeof setsOf>
}

/** At most one message about micro-batches in this time. */
const QUIET_MS = 30

export class Training {
  #run: Run | null = null
  #going = false
  #stopping: AbortController | null = null
  #paused: { promise: Promise<void>; resume: () => void } | null = null
  /** what waits for the end of a step */
  #waiting: (() => Promise<void>)[] = []

  constructor(readonly tell: (message: Told) => void) {}

  async hear(asked: Asked): Promise<void> {
    try {
      if (asked.type === 'train') await this.#train(asked.settings, asked.goOn)
      else if (asked.type === 'pause') this.#pause()
      else if (asked.type === 'resume') this.#resume()
      else if (asked.type === 'stop') this.#stop()
      else if (asked.type === 'forget') await this.#between(async () => this.#forget())
      else if (asked.type === 'load') await this.#load(asked.settings, asked.bytes)
      else if (asked.type === 'save') await this.#between(() => this.#save(asked.address))
      else await this.#between(() => this.#classify(asked.id, asked.pixels))
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#going = false
    this.tell({ type: 'failed', message: error instanceof SluiceError ? error.message : String(error) })
  }

  /** Do it now, or after the step that runs. */
  async #between(act: () => Promise<void>): Promise<void> {
    if (this.#going) this.#waiting.push(act)
    else await act()
  }

  async #rest(): Promise<void> {
    await breathe()
    for (;;) {
      const acts = this.#waiting
      this.#waiting = []
      for (const act of acts) await act()
      if (!this.#paused) return
      await Promise.race([this.#paused.promise, new Promise((resolve) => setTimeout(resolve, 40))])
    }
  }

  #pause(): void {
    if (this.#paused || !this.#going) return
    let resume = (): void => {}
    const promise = new Promise<void>((resolve) => {
      resume = resolve
    })
    this.#paused = { promise, resume }
  }

  #resume(): void {
    this.#paused?.resume()
    this.#paused = null
  }

  #stop(): void {
    this.#stopping?.abort()
    this.#resume()
  }

  #forget(): void {
    this.#run?.device.close()
    this.#run = null
  }

  async #open(settings: Settings): Promise<Run> {
    this.#forget()
    const { device: kind, memory, threads, kernels } = settings
    const device = await openDevice(kind, {
      memory,
      ...(threads > 0 && { threads }),
      ...(kernels !== 'best' && { simd: kernels }),
    })
    try {
      const run = { settings, device, streamer: streamerOf(settings, device), sets: setsOf(settings) }
      this.#run = run
      return run
    } catch (error) {
      device.close()
      throw error
    }
  }

  async #train(settings: Settings, goOn: boolean): Promise<void> {
    if (this.#going) return
    this.#going = true
    const stopping = new AbortController()
    this.#stopping = stopping
    const { device, streamer, sets } = goOn && this.#run ? this.#run : await this.#open(settings)
    const { variant, threads } = device as { variant?: string; threads?: number }
    this.tell({
      type: 'started',
      budgetBytes: settings.memory,
      instructions: variant ?? device.kind,
      threads: (threads ?? 1) > 1 || globalThis.crossOriginIsolated === true,
    })
    const before = streamer.cursor
    let told = 0
    const training = streamer.fit(sets.train, {
      batch: Math.min(settings.batch, countsOf(settings).train),
      microBatch: microOf(settings),
      epochs: before.epoch + settings.epochs,
      from: before,
      evaluate: sets.test,
      signal: stopping.signal,
      onMicroBatch: async ({ done, of }) => {
        const now = performance.now()
        if (now - told < QUIET_MS) return
        told = now
        this.tell({ type: 'micro', done, of })
        await breathe()
      },
      onEpoch: ({ epoch, trainLoss, evaluation, imagesPerSecond }) => {
        const { loss: testLoss = Number.NaN, accuracy = Number.NaN } = evaluation ?? {}
        const { steps: step } = streamer.optimizer
        this.tell({ type: 'epoch', epoch: { epoch, step, trainLoss, testLoss, accuracy, imagesPerSecond } })
      },
    })
    try {
      for await (const { epoch, step, samples, loss, peakBytes, plannedPeakBytes, ms, parts } of training) {
        const ofParts = parts.reduce((sum, { count }) => sum + count, 0)
        this.tell({ type: 'step', step: { epoch, step, samples, loss, peakBytes, plannedPeakBytes, ms }, ofParts })
        await this.#rest()
        if (stopping.signal.aborted) break
      }
      this.tell({ type: 'ended', why: stopping.signal.aborted ? 'stopped' : 'done' })
    } catch (error) {
      if (!stopping.signal.aborted) throw error
      this.tell({ type: 'ended', why: 'stopped' })
    } finally {
      this.#going = false
      this.#paused = null
      const acts = this.#waiting
      this.#waiting = []
      for (const act of acts) await act()
    }
  }

  async #save(address: string): Promise<void> {
    if (!this.#run) return
    const { streamer } = this.#run
    const checkpoint = await streamer.checkpoint()
    const bytes = checkpointToSafetensors(checkpoint, { metadata: { [ADDRESS]: address } })
    this.tell({ type: 'saved', bytes, step: checkpoint.optimizer.steps })
  }

  async #load(settings: Settings, bytes: Uint8Array): Promise<void> {
    if (this.#going) {
      this.#stop()
      while (this.#going) await breathe()
    }
    const { streamer, sets } = await this.#open(settings)
    streamer.restore(await loadCheckpoint(bytes))
    const { loss: testLoss, accuracy = Number.NaN } = await streamer.evaluate(sets.test)
    this.tell({ type: 'loaded', step: streamer.optimizer.steps, testLoss, accuracy })
  }

  async #classify(id: number, pixels: Float32Array): Promise<void> {
    if (!this.#run) return
    const { streamer, settings } = this.#run
    const outputs = await streamer.predict({ data: pixels, shape: [1, ...inputShapeOf(settings)] })
    this.tell({ type: 'classified', id, outputs: Float64Array.from(outputs.data) })
  }
}
