/** A file of `train --log`, read back: the series that `sluice plot` draws. */
import { FileError, parseJson, readFile, showName } from '../io/index.js'
import { isRecord } from '../tensor/saved-state.js'

/** Room for a million steps and more. */
const LARGEST_LOG = 2 ** 28

/** Values by step, in order. */
export type Series = readonly { readonly step: number; readonly value: number }[]

export interface RunLog {
  readonly name: string
  /** the mini-batch losses of the training */
  readonly loss: Series
  /** at the last step of each epoch */
  readonly testLoss: Series
  readonly testAccuracy: Series
  readonly peakBytes: Series
  /** of the last run in the file; null if no line says it */
  readonly budgetBytes: number | null
  /** lines that are not JSON objects with an event */
  readonly skipped: number
}

/**
 * Read a log. Where a step comes twice, as after a resume, the later line counts.
 * @throws FileError  it cannot be read, or no line in it is a step or an epoch
 */
export async function readLog(path: string): Promise<RunLog> {
  const text = new TextDecoder().decode(await readFile(path, { maxBytes: LARGEST_LOG }))
  const [loss, testLoss, testAccuracy, peakBytes] = Array.from({ length: 4 }, () => new Map<number, number>())
  let budgetBytes: number | null = null
  let skipped = 0
  let step = 0
  const note = (to: Map<number, number>, value: unknown): void => {
    if (typeof value === 'number' && Number.isFinite(value)) to.set(step, value)
    else to.delete(step)
  }
  for (const written of text.split('\n').filter((one) => one.trim() !== '')) {
    const line = objectIn(written)
    if (line === null) skipped++
    else if (line.event === 'run') {
      if (isCount(line.budgetBytes)) budgetBytes = line.budgetBytes
      if (isCount(line.before)) step = line.before
    } else if (line.event === 'step' && isCount(line.step)) {
      step = line.step
      note(loss, line.loss)
      note(peakBytes, line.peakBytes)
    } else if (line.event === 'epoch') {
      note(testLoss, line.testLoss)
      note(testAccuracy, line.testAccuracy)
    }
  }
  if ([loss, testLoss, testAccuracy].every(({ size }) => size === 0)) {
    throw new FileError(
      `${showName(path)} has no line of a step or an epoch: sluice train --log FILE writes such files`,
    )
  }
  return {
    name: path.replace(/^.*[/\\]/, '').replace(/\.jsonl?$/, ''),
    loss: inOrder(loss),
    testLoss: inOrder(testLoss),
    testAccuracy: inOrder(testAccuracy),
    peakBytes: inOrder(peakBytes),
    budgetBytes,
    skipped,
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value = parseJson(text)
    return isRecord(value) && typeof value.event === 'string' ? value : null
  } catch {
    return null
  }
}

const inOrder = (values: ReadonlyMap<number, number>): Series =>
  [...values].sort(([a], [b]) => a - b).map(([step, value]) => ({ step, value }))
