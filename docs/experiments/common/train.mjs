/** A training under a budget, and what is read of it: accuracy, parameters, gradients. One thread, so that runs compare. */
import { crossEntropy, openDevice, optim, Streamer } from 'sluice'

/**
 * @param model   (device) => module
 * @param memory  the budget
 * @param batch   samples of a mini-batch
 * @param fit     further options of `fit`
 * @returns the evaluation on `data.test`, the values of all parameters, the state, the highest peak, and the last step
 */
export async function train({
  model: make,
  loss = crossEntropy,
  optimizer,
  memory,
  seed,
  batch,
  microBatch,
  epochs,
  data,
  metrics,
  ...more
}) {
  const { streamer, close } = await streamerOf({ make, loss, optimizer, memory, seed, ...more })
  let peakBytes = 0
  let last
  let samples = 0
  for await (const step of streamer.fit(data.train, { batch, microBatch, epochs })) {
    last = step
    samples += step.samples
    peakBytes = Math.max(peakBytes, step.peakBytes)
    if (step.peakBytes !== step.plannedPeakBytes) throw new Error('a step had another peak than its plan')
  }
  const evaluation = await streamer.evaluate(data.test, { metrics })
  const parameters = await valuesOf(streamer.model)
  const state = await streamer.model.stateDict()
  await close()
  return { ...evaluation, parameters, state, peakBytes, steps: last?.step ?? 0, samples, last }
}

/** A streamer on a device of its own. @param optimizer  (model) => optimizer; default Adam with 0.01 */
export async function streamerOf({
  make,
  loss = crossEntropy,
  optimizer = adam,
  memory = '64MiB',
  seed = 1,
  recompute = 'never',
  ...options
}) {
  const device = await openDevice('cpu', { memory, threads: 1 })
  const model = make(device)
  const streamer = new Streamer({ model, loss, optimizer: optimizer(model), seed, recompute, ...options })
  return { streamer, model, device, close: () => device.close() }
}

/** With momentum, as the paper's authors train: small differences grow less than with Adam. */
export const sgd = (model) => optim.sgd(model, { learningRate: 0.05, momentum: 0.9 })
export const adam = (model) => optim.adam(model, { learningRate: 1e-2 })

/** All parameters one after the other. */
export const valuesOf = async (model) => joined(model, (parameter) => parameter.data())
/** The gradients that the last step left. */
export const gradientsOf = async (model) => joined(model, ({ grad }) => grad.data())

async function joined(model, read) {
  const parts = await Promise.all(model.parameters().map(read))
  const all = new Float64Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** |a - b| / |of| */
export const distance = (a, b, of = b) => norm(difference(a, b)) / norm(of)
export const difference = (a, b) => a.map((value, i) => value - b[i])
const norm = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
