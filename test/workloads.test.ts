/** Trainings with the same numbers as in peer libraries have the same losses. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import { openDevice } from '../src/device/open.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { sgd } from '../src/optim/index.js'
import { scope } from '../src/step/scope.js'
import { fromHost, tensor } from '../src/tensor/create.js'
import { cnnWorkload, mlpWorkload, transformerWorkload, type Workload } from './workloads.js'

async function train({
  make,
  weights,
  inputs,
  targets,
  loss: lossOf,
  learningRate,
  losses,
}: Workload): Promise<number[]> {
  const device = await openDevice('cpu', { memory: '64MiB' })
  const model = make(device)
  model.loadStateDict(weights)
  const optimizer = sgd(model, { learningRate })
  const seen: number[] = []
  for (const _ of losses) {
    optimizer.zeroGrad()
    const loss = scope(device, () => {
      const y = model.forward(fromHost(device, inputs))
      const value = lossOf?.(y) ?? crossEntropy(y, tensor(device, targets))
      backward(value)
      return value
    })
    optimizer.step()
    seen.push(await loss.item())
    loss.dispose()
  }
  device.close()
  return seen
}

async function expectLosses(workload: Workload): Promise<void> {
  const seen = await train(workload)
  workload.losses.forEach((loss, i) => {
    const error = Math.abs(seen[i] - loss)
    assert.ok(error <= workload.tolerance, `loss ${i + 1} is ${seen[i]}, other libraries have ${loss}`)
  })
}

test('the perceptron has the losses of other libraries', () => expectLosses(mlpWorkload()))

test('the convolutional network has the losses of other libraries', () => expectLosses(cnnWorkload()))

test('the transformer has the losses of PyTorch', () => expectLosses(transformerWorkload()))

test.run()
