/**
 * A training that is cut in two by a file of bytes, in Node and in a page.
 * @param sluice  the library, however it was imported
 * @returns the losses of both parts, the bytes at the end, the message of a path where there are no files, and npz's arrays
 */
export async function keep(sluice, npz) {
  const { checkpointToSafetensors, data, load, loadCheckpoint, models, openDevice, optim, save, Streamer } = sluice
  const losses = []
  const samples = data.digits()
  const options = { batch: 600, epochs: 2 }
  const streamerOn = (device) => {
    const model = models.mlp(device, { seed: 1 })
    return new Streamer({ model, loss: sluice.crossEntropy, optimizer: optim.adam(model), seed: 1 })
  }
  let bytes
  for (const last of [3, 5]) {
    const device = await openDevice('cpu', { memory: '512KiB' })
    const streamer = streamerOn(device)
    if (bytes) streamer.restore(await loadCheckpoint(bytes))
    for await (const { step, loss } of streamer.fit(samples, { ...options, from: streamer.cursor })) {
      losses.push(loss)
      if (step === last) break
    }
    bytes = checkpointToSafetensors(await streamer.checkpoint())
    device.close()
  }
  const message = await save({}, 'x/y/z').then(String, (error) =>
    error instanceof sluice.FileError ? error.message : String(error),
  )
  const folder = await data.idxFolder('x').then(String, (error) => error.message)
  const arrays = await data.parseNpz(new Uint8Array(npz))
  const tensors = Object.keys(await load(bytes))
  return { losses, bytes: [...bytes], message, folder, tensors, arrays: Object.keys(arrays).length }
}
