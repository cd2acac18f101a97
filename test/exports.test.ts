/**
 * The package as its users see it: everything is exported by name from the index, chaining and a first program of five
 * lines need no other import, and no import needs Node.
 */
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as sluice from '../src/index.js'
import { crossEntropy, data, models, openDevice, optim, Streamer } from '../src/index.js'
import { opTable } from '../src/ops/table.js'
import * as testing from '../src/testing/index.js'

const exported = new Map<string, unknown>(Object.entries(sluice))

test('every op is exported by its name', () => {
  assert.ok(opTable.length > 50)
  for (const op of opTable) {
    const found = exported.get(op.name)
    assert.type(found, 'function', op.name)
    assert.ok(typeof found === 'function' && 'op' in found && found.op === op, `${op.name} is another op`)
  }
  for (const [name, call] of Object.entries(sluice.ops)) assert.is(exported.get(name), call, name)
})

test('every op except concat can be chained after importing only the index', async () => {
  for (const { name } of opTable) {
    assert.is(name in sluice.Tensor.prototype, name !== 'concat', name)
  }
  const device = await openDevice('cpu', { memory: '64KiB' })
  const x = sluice.tensor(device, [
    [1, -2],
    [3, 0.5],
  ])
  const y = x.matmul(x).add(1).relu().sum({ axes: 1 }).reshape([1, 2])
  assert.equal(await y.array(), [[0, 5.5]])
  assert.equal(await sluice.concat([x, y], 0).slice([2], [3]).array(), await y.array())
})

test('the errors, devices and classes that users need are exported', () => {
  const classes = [
    ...['SluiceError', 'ArgumentError', 'AllocatorError', 'BudgetExceededError', 'DeviceError', 'RehearsalError'],
    ...['PlanMismatchError', 'DoesNotFitError', 'EmptyBatchError', 'InterruptedError', 'ModelError', 'NonFiniteError'],
    ...['NotSeparableError', 'BusyError', 'ShapeError', 'DisposedError', 'ScopeError', 'DeviceMismatchError'],
  ]
  for (const name of classes) {
    const Class = exported.get(name)
    assert.ok(typeof Class === 'function', `${name} is not exported`)
    assert.ok(Class === sluice.SluiceError || Class.prototype instanceof sluice.SluiceError, name)
  }
  for (const name of ['backward', 'checkGradient', 'checkSeparable', 'noGrad', 'scope', 'keep', 'crossEntropyLoss']) {
    assert.type(exported.get(name), 'function', name)
  }
  for (const name of ['DataError', 'IdxError', 'NotResumableError', 'fromArrays', 'split', 'idxFolder'] as const) {
    assert.type(data[name], 'function', name)
  }
  for (const name of ['Linear', 'Conv2d', 'BatchNorm2d', 'Sequential', 'Module', 'StateError'] as const) {
    assert.type(sluice.nn[name], 'function', name)
  }
  for (const name of ['sgd', 'adam', 'adamw', 'cosine', 'warmUp', 'stepDecay'] as const) {
    assert.type(optim[name], 'function', name)
  }
})

test('imported by its own name, the package is this index', async () => {
  const name = 'sluice'
  const [own, ownTesting]: unknown[] = [await import(name), await import(`${name}/testing`)]
  assert.is(own, sluice)
  assert.is(ownTesting, testing)
})

test('the first program: five lines', async () => {
  const device = await openDevice('cpu', { memory: '2MiB' })
  const model = models.lenet(device, { seed: 1 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model, { learningRate: 1e-2 }) })
  const plan = streamer.plan({ batch: 1024 })
  assert.match(String(plan), 'mini-batch 1,024')
  assert.ok(plan.parts[0].count > 1, 'the mini-batch would go through in one piece')
  const losses: number[] = []
  for await (const step of streamer.fit(data.digits(), { batch: 1024, epochs: 3 })) {
    losses.push(step.loss)
    assert.is(step.peakBytes, step.plannedPeakBytes)
    if (step.samples === 1024) assert.equal([step.parts, step.peakBytes], [plan.parts, plan.plannedPeakBytes])
  }
  assert.is(losses.length, 6)
  assert.ok(losses[5] < 0.95 * losses[0], `losses ${losses}`)
  assert.ok(device.memory.heldBytes <= device.memory.budgetBytes)
})

// The imports of the compiled modules

const ROOT = fileURLToPath(new URL('../', import.meta.url))

/** Static imports and re-exports in compiled code: they stand at the beginning of a line. */
const STATIC = /^(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]/gm

/** Every package or built-in module that is imported statically from here on, with the file that does. */
function outside(file: string, seen = new Set<string>()): Map<string, string> {
  const found = new Map<string, string>()
  if (seen.has(file)) return found
  seen.add(file)
  for (const [, specifier] of readFileSync(`${ROOT}${file}`, 'utf8').matchAll(STATIC)) {
    if (!specifier.startsWith('.')) found.set(specifier, file)
    else for (const [name, by] of outside(posix.join(posix.dirname(file), specifier), seen)) found.set(name, by)
  }
  return found
}

test('no module that the index imports needs Node', () => {
  assert.equal([...outside('src/index.js').keys()], ['seedrandom'])
  const seen = new Set<string>()
  outside('src/index.js', seen)
  for (const file of ['src/stream/streamer.js', 'src/data/folder.js', 'kernels/reference/index.js']) {
    assert.ok(seen.has(file), `${file} was not looked into`)
  }
  assert.not([...seen].some((file) => file.startsWith('src/cli/')))
})

test('the search for imports finds all kinds of imports', () => {
  const cli = [...outside('src/cli/main.js').keys()]
  assert.ok(
    cli.some((name) => name.startsWith('node:')),
    `found ${cli}`,
  )
  assert.equal([...outside('src/testing/index.js').keys()].sort(), ['fast-check', 'seedrandom'])
})

test.run()
