/** A closed device keeps nothing, and every use of it is an error. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Device, DeviceError, openDevice, openVirtualDevice, ops, tensor, zeros } from '../src/index.js'
import { CHILD_ENV } from './child-env.js'
import { TEST_RUNS } from './fixtures.js'

/** closing.ts in a process of its own. */
async function closeMany(kind: string, count: number): Promise<{ grownBytes: number; kept: number; workers: number }> {
  const script = fileURLToPath(new URL('closing.js', import.meta.url))
  const child = spawn(process.execPath, ['--expose-gc', script, kind, String(count)], { env: CHILD_ENV })
  let [out, err] = ['', '']
  child.stdout.on('data', (data) => {
    out += data
  })
  child.stderr.on('data', (data) => {
    err += data
  })
  const [code] = await once(child, 'close')
  assert.is(code, 0, err)
  return JSON.parse(out)
}

for (const kind of ['cpu', 'reference']) {
  test(`${kind}: the process does not grow with closed devices of 128 MiB, even while they are reachable`, async () => {
    const count = Math.min(100, 6 * TEST_RUNS)
    const { grownBytes, kept, workers } = await closeMany(kind, count)
    assert.equal([kept, workers], [count, kind === 'cpu' ? count : 0])
    assert.ok(grownBytes < 2 ** 25, `${count} devices: ${Math.round(grownBytes / 2 ** 20)} MiB more`)
  })
}

const OPENERS: Readonly<Record<string, () => Device | Promise<Device>>> = {
  cpu: () => openDevice('cpu', { memory: '1MiB' }),
  'cpu without threads': () => openDevice('cpu', { memory: '1MiB', threads: 1 }),
  'cpu without SIMD': () => openDevice('cpu', { memory: '1MiB', simd: 'none' }),
  reference: () => openDevice('reference', { memory: '1MiB' }),
  'virtual cpu': () => openVirtualDevice('cpu'),
  'virtual gpu': () => openVirtualDevice('gpu'),
}

for (const [name, open] of Object.entries(OPENERS)) {
  test(`${name}: a closed device refuses every use, but its tensors can be disposed and it can be closed again`, async () => {
    const device = await open()
    const x = device.executes ? tensor(device, [1, 2, 3]) : zeros(device, [3])
    const closing = device.close()
    assert.is(device.closed, true)
    const uses: Readonly<Record<string, () => unknown>> = {
      zeros: () => zeros(device, [1]),
      tensor: () => tensor(device, [1]),
      square: () => ops.square(x),
      'a view': () => ops.reshape(x, [3, 1]).dispose() ?? ops.square(x),
      read: () => x.array(),
      upload: () => device.upload(x.storage('test'), [1, 2, 3]),
      run: () => device.run('fill', { size: 3, value: 0 }, [], [x.storage('test')]),
      commit: () => device.commit([]),
    }
    for (const [use, call] of Object.entries(uses)) {
      let error: unknown
      try {
        await call()
      } catch (caught) {
        error = caught
      }
      assert.instance(error, DeviceError, use)
      assert.match((error as DeviceError).message, `the ${device.kind} device is closed: open another`)
    }
    x.dispose()
    await closing
    await device.close()
    assert.is(device.closed, true)
  })
}

test.run()
