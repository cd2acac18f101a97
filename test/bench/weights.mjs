/**
 * PyTorch loads weights that Sluice has trained and written: the outputs have to be the same. Build first, and install
 * Debian's python3-torch:
 *
 *   npm run build && node test/bench/weights.mjs
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as sluice from '../../dist/src/index.js'

const {
  checkpointToSafetensors,
  crossEntropy,
  data,
  models,
  nn,
  openDevice,
  optim,
  parseSafetensors,
  Streamer,
  toSafetensors,
} = sluice

/** Two float32 programs, through sums of at most 800 terms; the outputs are of size 10. */
const TOLERANCE = 2e-5

const MAKERS = {
  lenet: (device) => models.lenet(device, { seed: 1 }),
  normed: (device) =>
    new nn.Sequential(
      new nn.Conv2d(device, 1, 4, 3),
      new nn.BatchNorm2d(device, 4),
      new nn.ReLU(device),
      new nn.Flatten(device),
      new nn.Linear(device, 144, 10),
    ),
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-weights-'))
for (const [name, make] of Object.entries(MAKERS)) {
  const device = await openDevice('cpu', { memory: '4MiB' })
  const model = make(device)
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model, { learningRate: 1e-2 }) })
  for await (const _ of streamer.fit(data.digits(), { batch: 300, epochs: 3 }));
  const { inputs } = data.digits().gather(Array.from({ length: 50 }, (_, i) => i))
  const outputs = await streamer.predict(inputs)
  const { tensors, metadata } = parseSafetensors(checkpointToSafetensors(await streamer.checkpoint()))
  const pixels = { data: Float32Array.from(inputs.data, (value) => value * inputs.scale), shape: inputs.shape }
  const file = join(folder, name)
  writeFileSync(file, toSafetensors({ ...tensors, inputs: pixels }, metadata))
  const script = fileURLToPath(new URL('weights.py', import.meta.url))
  const theirs = JSON.parse(execFileSync('/usr/bin/python3', [script, file, name], { encoding: 'utf8' }))
  const worst = theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - outputs.data[i])), 0)
  console.log(`${name}: ${theirs.length} outputs of PyTorch and Sluice differ by at most ${worst.toExponential(1)}`)
  if (!(worst < TOLERANCE) || theirs.length !== outputs.data.length) process.exitCode = 1
}
rmSync(folder, { recursive: true })
