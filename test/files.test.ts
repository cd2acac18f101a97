/**
 * Files are replaced whole or not at all, whichever operation fails; the size of a file is limited before it is read.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FileError, load, parseSafetensors, SafetensorsError, save, toSafetensors } from '../src/index.js'
import { errorOf } from './error-of.js'

const folder = mkdtempSync(join(tmpdir(), 'sluice-files-'))
test.after(() => rmSync(folder, { recursive: true }))

const state = (value: number) => ({ x: { shape: [3], data: Float32Array.of(value, value + 1, value + 2) } })
const value = (path: string): unknown => parseSafetensors(new Uint8Array(readFileSync(path))).tensors.x.data[0]

/** Run `work` while the nth operation on files fails, and return the name of that operation; null: there were fewer. */
async function withFailing(n: number, work: () => Promise<void>): Promise<{ failed: string | null; error: unknown }> {
  let left = n
  let failed: string | null = null
  const counted =
    <Args extends unknown[], T>(name: string, run: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      if (--left !== 0) return run(...args)
      failed = name
      if (name === 'close') await run(...args)
      throw Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC' })
    }
  const { open, rename, realpath, stat, unlink } = files
  const patched: Record<string, unknown> = {
    rename: counted('rename', rename),
    realpath: counted('realpath', realpath as (path: string) => Promise<string>),
    stat: counted('stat', stat as (path: string) => Promise<unknown>),
    unlink: counted('unlink', unlink),
    open: counted('open', async (path: string, flags: string) => {
      const handle = await open(path, flags)
      const methods = { writeFile: handle.writeFile, sync: handle.sync, close: handle.close }
      for (const [name, method] of Object.entries(methods)) {
        Object.assign(handle, { [name]: counted(name, (method as () => Promise<void>).bind(handle)) })
      }
      return handle
    }),
  }
  Object.assign(files, patched)
  syncBuiltinESMExports()
  try {
    const error = await work().then(
      () => null,
      (thrown: unknown) => thrown,
    )
    return { failed, error }
  } finally {
    Object.assign(files, { open, rename, realpath, stat, unlink })
    syncBuiltinESMExports()
  }
}

for (const old of [true, false]) {
  test(`every operation of save fails in turn, ${old ? 'over an old file' : 'where there was none'}`, async () => {
    const path = join(folder, `each ${old}.safetensors`)
    const seen: string[] = []
    for (let n = 1; ; n++) {
      if (old) await save(state(1), path)
      else rmSync(path, { force: true })
      const { failed, error } = await withFailing(n, () => save(state(2), path))
      if (failed === null) {
        assert.is(error, null)
        break
      }
      seen.push(failed)
      const now = existsSync(path) ? value(path) : null
      if (error === null) {
        assert.is(now, 2)
        continue
      }
      assert.instance(error, FileError, failed)
      const { message } = error as FileError
      assert.match(message, new RegExp(`each ${old}\\.safetensors (could not be written|is written, but).*ENOSPC`))
      assert.not.match(message, '\n')
      assert.is(now, message.includes('is written, but') ? 2 : old ? 1 : null, `${failed}: ${message}`)
      assert.equal(
        readdirSync(folder).filter((name) => name.endsWith('.tmp')),
        [],
        failed,
      )
    }
    for (const name of ['open', 'writeFile', 'sync', 'close', 'rename']) assert.ok(seen.includes(name), `${seen}`)
    assert.is(seen.filter((name) => name === 'sync').length, 2, 'the file and its folder')
  })
}

test('a path that cannot be written gives an error of one line, and the old content stays', async () => {
  const path = join(folder, 'kept.safetensors')
  await save(state(1), path)
  const taken = join(folder, 'a folder')
  mkdirSync(taken)
  execFileSync('mkfifo', [join(folder, 'pipe')])
  const cases: [string, RegExp][] = [
    [taken, /a folder could not be written.*not a regular file/],
    [join(folder, 'pipe'), /pipe could not be written.*not a regular file/],
    [join(folder, 'nowhere', 'x'), /nowhere\/x could not be written.*ENOENT/],
    [join(path, 'x'), /kept\.safetensors\/x could not be written.*ENOTDIR/],
    [join(folder, 'x'.repeat(300)), /could not be written.*ENAMETOOLONG/],
    ['a\0b', /a\\u\{0\}b could not be written/],
  ]
  for (const [where, message] of cases) {
    const error = await errorOf(save(state(2), where))
    assert.instance(error, FileError)
    assert.match((error as Error).message, message)
  }
  assert.instance(await errorOf(save(state(2), 3 as unknown as string)), FileError)
  assert.instance(await errorOf(save({ x: { shape: [9], data: [1] } }, path)), SafetensorsError)
  assert.is(value(path), 1)
})

test('a process that may write no large file leaves the old one', async () => {
  const path = join(folder, 'limited.safetensors')
  await save(state(1), path)
  const index = fileURLToPath(new URL('../src/index.js', import.meta.url))
  const script = `import { save } from ${JSON.stringify(index)}
    await save({ x: { shape: [100000], data: new Float32Array(100000) } }, ${JSON.stringify(path)}).catch((error) => {
      console.log(error.name + ': ' + error.message)
    })`
  const { stdout } = spawnSync(
    'bash',
    ['-c', 'ulimit -f 8; exec "$0" --input-type=module -e "$1"', process.execPath, script],
    {
      encoding: 'utf8',
    },
  )
  assert.match(
    stdout,
    /^FileError: .*limited\.safetensors could not be written; its old content stays \(EFBIG: .*\)\n$/,
  )
  assert.is(value(path), 1)
  assert.equal(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  )
})

test('a link stays a link, and many saves at once leave one whole file', async () => {
  const [link, target] = ['link', 'target'].map((name) => join(folder, name))
  await save(state(1), target)
  symlinkSync('target', link)
  await save(state(2), link)
  assert.is(value(target), 2)
  await Promise.all(Array.from({ length: 8 }, (_, i) => save(state(10 + i), target)))
  assert.ok(Number(value(link)) >= 10)
})

test('a path that cannot be read gives an error of one line', async () => {
  const path = join(folder, 'good.safetensors')
  await save(state(1), path)
  const bad = join(folder, 'bad.safetensors')
  writeFileSync(bad, toSafetensors(state(1)).subarray(0, 90))
  const cases: [string, number | undefined, RegExp, typeof FileError][] = [
    [join(folder, 'none'), undefined, /none cannot be read \(ENOENT/, FileError],
    [folder, undefined, /cannot be read \(it is not a regular file\)/, FileError],
    ['/dev/zero', undefined, /^\/dev\/zero cannot be read \(it is not a regular file\)/, FileError],
    [path, 100, /good\.safetensors cannot be read \(it has \d+ bytes, and the limit is 100\)/, FileError],
    [bad, undefined, /bad\.safetensors: byte 0: the header has/, SafetensorsError],
  ]
  for (const [where, maxBytes, message, Kind] of cases) {
    const error = await errorOf(load(where, { maxBytes }))
    assert.instance(error, Kind)
    assert.match((error as Error).message, message)
  }
  const huge = join(folder, 'huge')
  execFileSync('truncate', ['-s', '1T', huge])
  assert.match(String(await errorOf(load(huge))), /it has 1099511627776 bytes, and the limit is 4294967296/)
  assert.equal((await load(toSafetensors(state(3)))).x.data, Float32Array.of(3, 4, 5))
})

test.run()
