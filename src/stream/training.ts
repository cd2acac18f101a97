/** What `Streamer.fit` returns: a loop over steps that can be awaited as a whole. */
import type { StepResult } from './options.js'

/**
 * The steps of a training, one after the other. It trains as far as it is asked to: `for await (const step of training)`
 * goes step by step, and `await training` goes to the end and gives the last step, or undefined if there was none.
 */
export interface Training extends AsyncGenerator<StepResult, void, void>, PromiseLike<StepResult | undefined> {}

/** Without `then`, awaiting the steps would give them back untrained, without a word. */
export function awaitable(steps: AsyncGenerator<StepResult, void, void>): Training {
  const toTheEnd = async (): Promise<StepResult | undefined> => {
    let last: StepResult | undefined
    for await (const step of steps) last = step
    return last
  }
  const then: Training['then'] = (resolve, reject) => toTheEnd().then(resolve, reject)
  return Object.defineProperty(steps, 'then', { value: then }) as Training
}
