/** Waiting for a source, unless it is given up. */
import { forget } from '../device/promise.js'
import { InterruptedError } from './errors.js'

/**
 * The items of `source`, until `signal` is aborted. A source that hangs then is not waited for: it is closed when it
 * answers.
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

/** What `promise` gives, or an InterruptedError if that comes first. */
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
