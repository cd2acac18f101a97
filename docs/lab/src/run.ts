/** The training of the page: what its worker has told so far. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Settings } from './settings'
import type { Asked, Epoch, Step, Told } from './training'
import { startTraining } from './workers'

export type Status = 'none' | 'starting' | 'running' | 'paused' | 'rested'

export interface Run {
  status: Status
  /** what it runs with */
  settings: Settings | null
  steps: Step[]
  epochs: Epoch[]
  /** the micro-batch that runs, of how many */
  done: number
  of: number
  instructions: string
  /** the last thing that a reader of the screen should hear */
  said: string
  fault: string | null
  /** where it came from a file: its steps before */
  loaded: { step: number; accuracy: number; testLoss: number } | null
}

const NONE: Run = {
  ...{ status: 'none', settings: null, steps: [], epochs: [], done: 0, of: 0, instructions: '', said: '', fault: null },
  loaded: null,
}

export interface Trainer {
  readonly run: Run
  train(settings: Settings, goOn: boolean): void
  pause(): void
  resume(): void
  stop(): void
  save(address: string): void
  load(settings: Settings, bytes: Uint8Array): void
  classify(pixels: Float32Array, tell: (outputs: Float64Array) => void): void
}

/** Steps that are kept to be drawn: older ones are thinned. */
const MOST_STEPS = 20_000

export function useTrainer(keep: (bytes: Uint8Array, step: number) => void): Trainer {
  const run = useRef<Run>(NONE)
  const [, draw] = useState(0)
  const frame = useRef(0)
  const tells = useRef(new Map<number, (outputs: Float64Array) => void>())
  const ids = useRef(0)
  const kept = useRef(keep)
  kept.current = keep
  const worker = useMemo(startTraining, [])

  const set = (patch: Partial<Run>): void => {
    run.current = { ...run.current, ...patch }
    if (frame.current) return
    frame.current = requestAnimationFrame(() => {
      frame.current = 0
      draw((count) => count + 1)
    })
  }
  const ask = (asked: Asked): void => worker.postMessage({ job: 'training', asked })

  useEffect(() => {
    worker.onmessage = ({ data }: MessageEvent<Told>) => {
      const { current } = run
      if (data.type === 'started')
        set({ status: 'running', instructions: data.instructions, fault: null, said: 'The training has started.' })
      else if (data.type === 'micro') set({ done: data.done, of: data.of })
      else if (data.type === 'step') {
        current.steps.push(data.step)
        if (current.steps.length > MOST_STEPS) current.steps.splice(0, MOST_STEPS / 2)
        set({ done: data.ofParts, of: data.ofParts })
      } else if (data.type === 'epoch') {
        current.epochs.push(data.epoch)
        const { epoch, accuracy, testLoss } = data.epoch
        set({
          said: `Epoch ${epoch + 1}: test loss ${testLoss.toPrecision(3)}, accuracy ${(100 * accuracy).toFixed(1)} %.`,
        })
      } else if (data.type === 'ended')
        set({
          status: 'rested',
          said: `The training ${data.why === 'done' ? 'is done' : 'was stopped'}. ${current.said}`,
        })
      else if (data.type === 'failed')
        set({ status: current.steps.length > 0 ? 'rested' : 'none', fault: data.message, said: data.message })
      else if (data.type === 'saved') kept.current(data.bytes, data.step)
      else if (data.type === 'loaded')
        set({
          status: 'rested',
          loaded: data,
          fault: null,
          said: `A model of ${data.step} steps was loaded. Its accuracy on the test is ${(100 * data.accuracy).toFixed(1)} %.`,
        })
      else {
        tells.current.get(data.id)?.(data.outputs)
        tells.current.delete(data.id)
      }
    }
  }, [])

  return {
    run: run.current,
    train(settings, goOn) {
      if (goOn) set({ status: 'starting' })
      else set({ ...NONE, steps: [], epochs: [], status: 'starting', settings })
      ask({ type: 'train', settings, goOn })
    },
    pause() {
      set({ status: 'paused', said: 'Paused.' })
      ask({ type: 'pause' })
    },
    resume() {
      set({ status: 'running', said: 'Going on.' })
      ask({ type: 'resume' })
    },
    stop: () => ask({ type: 'stop' }),
    save: (address) => ask({ type: 'save', address }),
    load(settings, bytes) {
      set({ ...NONE, steps: [], epochs: [], status: 'starting', settings })
      ask({ type: 'load', settings, bytes })
    },
    classify(pixels, tell) {
      const id = ++ids.current
      tells.current.set(id, tell)
      ask({ type: 'classify', id, pixels })
    },
  }
}
