/** The script of all workers of the page: one plans, one answers what takes longer, one trains. */
import { answersFor, planFor } from './planning'
import type { Settings } from './settings'
import { type Asked, Training } from './training'

export type Job = { job: 'plan' | 'answers'; id: number; settings: Settings } | { job: 'training'; asked: Asked }

const training = new Training((message) => postMessage(message))

addEventListener('message', ({ data }: MessageEvent<Job>) => {
  if (data.job === 'training') training.hear(data.asked)
  else if (data.job === 'plan') postMessage({ id: data.id, planned: planFor(data.settings) })
  else postMessage({ id: data.id, answers: answersFor(data.settings) })
})
