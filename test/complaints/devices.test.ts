/** Public complaints about backends: gradients that are missing, sizes at which results are wrong, native builds. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward, conv2d, type Device, fromHost, matmul, openDevice, requireGrad, scope } from '../../src/index.js'

const numbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed * (i + 1) ** 2))

async function gradients(device: Device): Promise<number[][]> {
  const x = requireGrad(fromHost(device, { data: numbers(3 * 4 * 9 * 9, 1), shape: [3, 4, 9, 9] }))
  const w = requireGrad(fromHost(device, { data: numbers(6 * 4 * 9, 2), shape: [6, 4, 3, 3] }))
  scope(device, () => backward(conv2d(x, w, null, { stride: 2, padding: 1 }).square().sum()))
  return Promise.all([x, w].map(async ({ grad }) => [...((await grad?.data()) ?? [])]))
}

test('tfjs#8474: there is no gradient of a convolution by its weight', async () => {
  const [cpu, reference] = await Promise.all([
    openDevice('cpu', { memory: '4MiB' }),
    openDevice('reference', { memory: '8MiB' }),
  ])
  const [seen, wanted] = [await gradients(cpu), await gradients(reference)]
  for (const [i, values] of wanted.entries()) {
    const largest = Math.max(...values.map(Math.abs))
    assert.is(seen[i].length, values.length)
    for (const [j, value] of values.entries()) assert.ok(Math.abs(seen[i][j] - value) < 1e-5 * largest)
  }
  await Promise.all([cpu.close(), reference.close()])
})

test('tfjs#6884, #7448, #920: a batch of 16 k + 1 fails, a large outer product is zero, a long row is too wide', async () => {
  const device = await openDevice('cpu', { memory: '16MiB' })
  const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 129, 160, 161]
  const shapes = [
    ...sizes.map((m) => [m, 5, 7]),
    ...sizes.map((n) => [3, 4, n]),
    ...sizes.map((k) => [3, k, 5]),
    ...[160, 161].map((n) => [n, 1, n]),
    [1, 3, 20_000],
    [1, 20_000, 1],
  ]
  for (const [m, k, n] of shapes) {
    const [a, b] = [numbers(m * k, 1), numbers(k * n, 2)]
    const seen = await matmul(
      fromHost(device, { data: a, shape: [m, k] }),
      fromHost(device, { data: b, shape: [k, n] }),
    ).data()
    for (const at of [0, n - 1, (m - 1) * n, m * n - 1, Math.floor((m * n) / 2)]) {
      const [i, j] = [Math.floor(at / n), at % n]
      let [sum, size] = [0, 0]
      for (let l = 0; l < k; l++) {
        sum += a[i * k + l] * b[l * n + j]
        size += Math.abs(a[i * k + l] * b[l * n + j])
      }
      assert.ok(Math.abs(seen[at] - sum) <= 1e-5 * size + 1e-12, `${m} x ${k} x ${n} at ${at}: ${seen[at]}, not ${sum}`)
    }
  }
  await device.close()
})

test('tfjs#8430, #8740; gpu.js#838: installing builds or downloads native code', () => {
  const read = (name: string) =>
    JSON.parse(readFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), 'utf8'))
  const { dependencies, scripts } = read('package.json')
  const lock: Record<string, { hasInstallScript?: boolean; dev?: boolean; optional?: boolean }> =
    read('package-lock.json').packages
  assert.equal(Object.keys(dependencies), ['seedrandom'])
  assert.is(lock['node_modules/seedrandom'].hasInstallScript, undefined)
  assert.equal([scripts.install, scripts.preinstall, scripts.postinstall], [undefined, undefined, undefined])
  // nor does anything that is needed to develop
  const building = Object.entries(lock).filter(([path, { hasInstallScript }]) => path !== '' && hasInstallScript)
  assert.equal(
    building.map(([path]) => path),
    [],
  )
})

test.run()
