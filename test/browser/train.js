/**
 * A short training that is the same in Node and in a page: an MLP on digits, mini-batches that do not fit.
 * @param sluice  the library, however it was imported
 */
export async function train({ openDevice, models, optim, data, crossEntropy, Streamer }, kind = 'cpu', options = {}) {
  const device = await openDevice(kind, { memory: '512KiB', ...options })
  const model = models.mlp(device, { seed: 1 })
  const optimizer = optim.adam(model, { learningRate: 1e-2 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer, seed: 1 })
  const { train, test } = data.split(data.digits(), { seed: 1 })
  const steps = []
  for await (const { loss, parts, peakBytes, plannedPeakBytes } of streamer.fit(train, { batch: 1024, epochs: 2 })) {
    steps.push({ loss, parts, peakBytes, plannedPeakBytes })
  }
  const { loss, accuracy, peakBytes, plannedPeakBytes } = await streamer.evaluate(test)
  const { budgetBytes, heldBytes } = device.memory
  device.close()
  return { steps, evaluation: { loss, accuracy, peakBytes, plannedPeakBytes }, budgetBytes, heldBytes }
}
