/** `sluice predict`: the classes that a model with the weights of a file gives to images. */
import { parseNpy } from '../data/index.js'
import { heapLimit } from '../device/heap-device.js'
import { openDevice } from '../device/open.js'
import { FileError, readFile, readHeader, showName } from '../io/index.js'
import { groupDigits } from '../memory/bytes.js'
import { reasonOf } from '../memory/errors.js'
import { MODELS } from '../models/index.js'
import { crossEntropy } from '../ops/cross-entropy.js'
import { sgd } from '../optim/index.js'
import { loadWeights } from '../stream/checkpoint-file.js'
import { Streamer } from '../stream/streamer.js'
import type { HostArray } from '../tensor/host.js'
import { JOB_OPTIONS, SIZES } from './flags.js'
import { type Command, EXIT, emit, type Io } from './io.js'
import { classesOf, type Job, modelOf, parseJob } from './job.js'
import { flagsIn } from './keep.js'
import { describeExamples, describeOptions, parseOptions, UsageError, whole } from './options.js'
import { loadSets } from './sets.js'
import { showShare, taskOf } from './task.js'

const {
  model,
  width,
  layers,
  filters,
  levels,
  heads,
  image,
  target,
  context,
  'batch-norm': batchNorm,
  memory,
  seed,
  device,
  threads,
  json,
  help,
} = JOB_OPTIONS
const OPTIONS = {
  weights: { type: 'string', value: 'FILE', help: 'a safetensors file, such as that of train --checkpoint' },
  model,
  width,
  layers,
  filters,
  levels,
  heads,
  'batch-norm': { ...batchNorm, help: 'of the model: any policy, or none' },
  data: { ...JOB_OPTIONS.data, value: 'digits|FORM:PATH|npy:FILE', help: 'the test images, or those of an npy file' },
  image,
  target,
  context,
  classes: { type: 'string', default: '10', value: 'N', help: 'of the model, with npy:' },
  memory,
  'micro-batch': { ...JOB_OPTIONS['micro-batch'], value: 'fit|N', help: 'largest that fits, or at most N samples' },
  seed: { ...seed, help: 'of the split into training and test images' },
  device,
  threads,
  json,
  help,
} as const

/** The flags that predict takes from the file, where they are not given. */
const DATA = ['data', 'image', 'target', 'context'] as const
const FROM_FILE = ['model', ...SIZES, 'batch-norm', ...DATA, 'memory', 'seed'] as const
/** The flags that mean the same in train. */
const SHARED = ['model', ...SIZES, 'batch-norm', ...DATA, 'memory', 'micro-batch', 'seed', 'device', 'threads'] as const

const EXAMPLES = {
  'sluice predict --weights run.safetensors': 'the test images of the training that wrote the file',
  'sluice predict --weights run.safetensors --data npy:images.npy': 'images of your own',
} as const

export const predict: Command = {
  name: 'predict',
  summary: 'the classes of images, by the weights of a file',
  help: () =>
    `Usage: sluice predict --weights FILE [options]

Gives the class of each image and its probability. A file of train --checkpoint says its own --model and its sizes,
--batch-norm, --data, --memory and --seed; flags that are given win.

${describeOptions(OPTIONS)}

${describeExamples(EXAMPLES)}
`,
  async run(args, io) {
    const given = parseOptions('predict', args, OPTIONS).values
    if (given.help) {
      io.out(predict.help())
      return EXIT.done
    }
    const { weights: file } = given
    if (file === undefined) throw new UsageError('predict needs weights: give --weights FILE')
    const { metadata, dataStart } = await readHeader(file)
    const kept = flagsIn(file, metadata)
    const own = FROM_FILE.flatMap((name) => (kept[name] === undefined ? [] : [`--${name}=${kept[name]}`]))
    const { values } = parseOptions('predict', [...own, ...args], OPTIONS)
    const npy = /^npy:(.+)/s.exec(values.data)?.[1]
    const flags = SHARED.filter(
      (name) => !(DATA.some((each) => each === name) && npy !== undefined) && values[name] !== undefined,
    )
    const job = parseJob(
      'train',
      flags.map((name) => `--${name}=${values[name]}`),
    )
    if (job.fastest) throw new UsageError('--micro-batch fast measures by training: say fit or a number')
    const limit = job.device === 'gpu' ? null : heapLimit(job.memoryBytes)
    if (limit) throw new UsageError(`--memory: ${limit}`)
    const images = npy === undefined ? await imagesOf(job) : await imagesIn(npy, whole('--classes', values.classes, 1))
    const opened = await openDevice(job.device, { memory: job.memoryBytes, threads: job.threads, simd: 'wide' })
    try {
      const { inputs, classes } = images
      const network = MODELS[job.model].build(opened, { ...modelOf(job), inputShape: inputs.shape.slice(1), classes })
      // parameters and gradients fit the budget, so a file with two moments in float64 is at most three times as large
      const state = await loadWeights(file, { maxBytes: dataStart + 3 * job.memoryBytes })
      try {
        network.loadStateDict(state)
      } catch (cause) {
        throw new FileError(`${showName(file)}: ${reasonOf(cause)}`, { cause })
      }
      const streamer = new Streamer({ model: network, loss: crossEntropy, optimizer: sgd(network) })
      const { microBatch } = job
      const logits = await io.interruptible((signal) => streamer.predict(inputs, { microBatch, signal }))
      show(io, { ...job, json: values.json }, images, logits)
      return EXIT.done
    } finally {
      await opened.close()
    }
  },
}

interface Images {
  readonly name: string
  readonly inputs: HostArray
  readonly labels: ArrayLike<number> | null
  readonly classes: number
}

/** The test images of a data set. */
async function imagesOf(job: Job): Promise<Images> {
  const sets = await loadSets(job)
  const { test } = sets
  if (taskOf(test).sample !== 'class' || test.classes === undefined) {
    throw new UsageError('predict gives the classes of images, and these data have other targets')
  }
  const { inputs, targets } = await test.gather(Array.from({ length: test.length }, (_, i) => i))
  return { name: test.name, inputs, labels: targets.data, classes: classesOf(sets) }
}

/** The images of an npy file: [N, H, W] or [N, C, H, W]. Bytes are scaled to [0, 1], as those of an IDX file. */
async function imagesIn(file: string, classes: number): Promise<Images> {
  const bytes = await readFile(file)
  try {
    const { data, shape } = parseNpy(bytes)
    const [samples, ...image] = shape
    if ((image.length !== 2 && image.length !== 3) || shape.includes(0)) {
      throw new FileError(`its shape is [${shape.join(', ')}]; images are [N, H, W] or [N, C, H, W]`)
    }
    const scale = data instanceof Uint8Array ? 1 / 255 : undefined
    const inputs = { data, shape: [samples, ...(image.length === 2 ? [1, ...image] : image)], scale }
    return { name: showName(file), inputs, labels: null, classes }
  } catch (cause) {
    throw new FileError(`${showName(file)}: ${reasonOf(cause)}`, { cause })
  }
}

/** A table, or an event for each image, and what came of all. */
function show(io: Io, { model, json }: Job, { name, labels }: Images, { data, shape }: HostArray): void {
  const [samples, classes] = shape
  let correct = 0
  if (!json) io.out(`${name}: ${groupDigits(samples)} images, by ${model}\n\nsample  class  probability\n`)
  for (let sample = 0; sample < samples; sample++) {
    const logits = Array.from({ length: classes }, (_, i) => data[sample * classes + i])
    const found = logits.indexOf(Math.max(...logits))
    const probability = 1 / logits.reduce((sum, logit) => sum + Math.exp(logit - logits[found]), 0)
    const label = labels === null ? undefined : labels[sample]
    if (found === label) correct++
    if (json) {
      emit(io, 'prediction', { sample, class: found, probability, label })
      continue
    }
    const wrong = label === undefined || label === found ? '' : `   labelled ${label}`
    const row = [String(sample).padStart(6), String(found).padStart(5), showShare(probability).padStart(11)]
    io.out(`${row.join('  ')}${wrong}\n`)
  }
  const accuracy = labels === null ? undefined : correct / samples
  if (json) emit(io, 'done', { samples, correct: labels === null ? undefined : correct, accuracy })
  else if (accuracy !== undefined) {
    io.out(`\nAccuracy ${showShare(accuracy)}: ${groupDigits(correct)} of ${groupDigits(samples)}.\n`)
  }
}
