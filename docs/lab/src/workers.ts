/** The workers of the page, and hooks that ask them. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Answers, Planned } from './planning'
import { planKey, type Settings } from './settings'
import type { Job } from './worker'

const start = (): Worker => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })

/** Asks a worker one thing at a time; of several that wait only the last is asked. */
class Asker<Answer> {
  #worker = start()
  #next: Job | null = null
  #busy = false
  #tell: (answer: Answer, id: number) => void = () => {}

  constructor() {
    this.#listen()
  }

  #listen(): void {
    this.#worker.onmessage = ({ data }) => {
      this.#busy = false
      this.#send()
      this.#tell(data.planned ?? data.answers, data.id)
    }
  }

  ask(job: Job, tell: (answer: Answer, id: number) => void): void {
    this.#next = job
    this.#tell = tell
    if (!this.#busy) this.#send()
  }

  /** Ask, and give up what is being worked on. */
  insist(job: Job, tell: (answer: Answer, id: number) => void): void {
    if (this.#busy) {
      this.#worker.terminate()
      this.#worker = start()
      this.#listen()
      this.#busy = false
    }
    this.ask(job, tell)
  }

  #send(): void {
    if (!this.#next) return
    this.#worker.postMessage(this.#next)
    this.#busy = true
    this.#next = null
  }
}

export interface Shown {
  readonly planned: Planned
  /** the settings that it is the plan of */
  readonly settings: Settings
}

/** The plan of the settings; the last one until the worker has the next. */
export function usePlan(settings: Settings): Shown | null {
  const asker = useMemo(() => new Asker<Planned>(), [])
  const [shown, setShown] = useState<Shown | null>(null)
  const asked = useRef(new Map<number, Settings>())
  const count = useRef(0)
  const key = `${planKey(settings)} ${settings.memory}`
  useEffect(() => {
    const id = ++count.current
    asked.current.set(id, settings)
    asker.ask({ job: 'plan', id, settings }, (planned, id) => {
      const of = asked.current.get(id)
      for (const old of asked.current.keys()) if (old <= id) asked.current.delete(old)
      if (of) setShown({ planned, settings: of })
    })
  }, [key])
  return shown
}

/** The answers for a plan that is shown, once it has rested; null: not yet. */
export function useAnswers(shown: Shown | null): Answers | null {
  const asker = useMemo(() => new Asker<Answers>(), [])
  const [known, setKnown] = useState<{ of: Shown; answers: Answers } | null>(null)
  useEffect(() => {
    if (!shown || shown.planned.fault) return
    const { settings } = shown
    const tell = (answers: Answers) => setKnown({ of: shown, answers })
    const timer = setTimeout(() => asker.insist({ job: 'answers', id: 0, settings }, tell), 600)
    return () => clearTimeout(timer)
  }, [shown])
  return known !== null && known.of === shown ? known.answers : null
}

export const startTraining = start
