/**
 * One step over many machines, in Node: `import { serve, work } from 'sluice/cluster'`. Jobs travel by BullMQ on Redis; bullmq and
 * ioredis are optional peers.
 */
import { checkArgument, FUNCTION, type Known, NUMBER, OBJECT, options as optionsOf, TEXT } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import type { Tensor } from '../tensor/tensor.js'
import { Coordinator } from './coordinator.js'
import type { CoordinatorOptions } from './options.js'
import { type EngineOptions, hubOf, lineOf } from './redis.js'
import type { WorkerStatus } from './transport.js'
import { type WorkerOptions, workOver } from './worker.js'

export { Coordinator } from './coordinator.js'
export { ClusterError, MismatchError, PayloadError } from './errors.js'
export type { ClusterFitOptions, ClusterStatus, CoordinatorOptions } from './options.js'
export type { EngineOptions } from './redis.js'
export type { WorkerStatus } from './transport.js'
export type { RangeDone, WorkerOptions } from './worker.js'

const ENGINE: Known<EngineOptions> = { redis: TEXT, name: TEXT, patienceMs: NUMBER }
const SERVE = optionsOf<CoordinatorOptions & EngineOptions>(
  { ...ENGINE, streamer: OBJECT, description: TEXT, ahead: NUMBER },
  ['redis', 'streamer'],
)
const WORK = optionsOf<WorkerOptions<unknown, unknown> & EngineOptions>(
  {
    ...ENGINE,
    model: OBJECT,
    loss: FUNCTION,
    data: OBJECT,
    recompute: { ...TEXT, fits: () => true },
    signal: OBJECT,
    onRange: FUNCTION,
  },
  ['redis', 'model', 'loss'],
)

/** @throws ArgumentError  no name of a training, or no time */
function checkEngine(op: string, { name = 'training', patienceMs = 1000 }: EngineOptions): void {
  if (!/^[\w.-]{1,100}$/.test(name)) {
    throw new ArgumentError(`${op}: name '${name.slice(0, 40)}' must be letters, digits, '.', '-' and '_'`)
  }
  if (!(patienceMs >= 100 && patienceMs < 2 ** 31)) {
    throw new ArgumentError(`${op}: patienceMs is ${patienceMs}; it must be 100 or more`)
  }
}

/**
 * A coordinator, whose `fit` is that of the streamer, computed by workers:
 *
 *     const coordinator = await serve({ streamer, redis: 'redis://localhost' })
 *     for await (const { loss } of coordinator.fit(data.digits(), { batch: 1024, epochs: 3 })) console.log(loss)
 *     await coordinator.close()
 *
 * It ends every training that was served under the same name before.
 * @throws ArgumentError  a bad option
 * @throws ClusterError   bullmq or ioredis is not installed, or Redis does not answer
 */
export async function serve(options: CoordinatorOptions & EngineOptions): Promise<Coordinator> {
  checkArgument('serve', 'options', options, SERVE)
  checkEngine('serve', options)
  const hub = await hubOf(options)
  try {
    return await Coordinator.over(hub, options)
  } catch (error) {
    await hub.end()
    throw error
  }
}

/**
 * Compute ranges for a coordinator until `signal` is aborted: `await work({ model, loss, data, redis: 'redis://localhost' })`. A
 * worker can come before its coordinator, and outlive it.
 * @returns what the worker has done
 * @throws ArgumentError  a bad option
 * @throws ClusterError   as `serve`; a MismatchError: model or data are not those of the coordinator
 * @throws DoesNotFitError, BudgetExceededError, DeviceLostError  this device cannot compute such ranges; others go on
 */
export async function work<Outputs = Tensor, Targets = Tensor>(
  options: WorkerOptions<Outputs, Targets> & EngineOptions,
): Promise<WorkerStatus> {
  checkArgument('work', 'options', options, WORK)
  checkEngine('work', options)
  const line = await lineOf(options)
  try {
    return await workOver(line, options)
  } finally {
    await line.end()
  }
}

/** What the coordinator of this name says of its training (`description`), or null: there was none yet. */
export async function described(options: EngineOptions): Promise<string | null> {
  checkEngine('described', options)
  const line = await lineOf(options)
  try {
    return await line.description()
  } finally {
    await line.end()
  }
}
