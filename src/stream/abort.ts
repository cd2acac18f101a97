/** Waiting for data under an AbortSignal. */
import { forget } from '../device/promise.js'
import { InterruptedError } from './errors.js'

/**
 * The items of `source` until `signal` is aborted. After an abort the loop does not wait for a source that does not
 * answer; the source is closed when it answers.
 * @throws InterruptedError  the signal was aborted
 */
export async function* untilAborted<T>(source: AsyncGenerator<T>, signal?: AbortSignal): AsyncGenerator<T, void, void> {
  let answered = true
  try {
    for (;;) {
      answered = false
      const { done, value } = await orAborted(source.next(), signal)
      answered = true
      if (done) return
      yield value
    }
  } finally {
    const closed = source.return(undefined)
    if (answered) await closed
    else forget(closed)
  }
}

/** The result of `promise`, or an InterruptedError if the signal is aborted first. */
function orAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = (): void =>
      reject(new InterruptedError('interrupted while waiting for data; the last mini-batch is committed'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
