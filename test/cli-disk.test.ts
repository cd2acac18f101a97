/**
 * A training whose file can no longer be written, on real file systems: full, read-only, and a folder of another user. One
 * line says so, and the file stays as it was written last.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { loadCheckpoint } from '../src/index.js'
import { CHILD_ENV } from './child-env.js'
import { type Event, MAIN, scratch } from './command-line.js'

let mounted: string | null = null
// before the folder is deleted
test.after(() => void (mounted !== null && spawnSync('umount', [mounted])))
const { folder, at } = scratch('disk')
const NOBODY = 65534
const isRoot = process.getuid?.() === 0
/** root may write everywhere, so the training is of someone else */
const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {}

/** Trains until a write fails; `disturb` is called after each step from the fifth on. @returns its end, and the last step that it kept */
async function train(path: string, disturb: () => void, as: object = {}) {
  const args = `train --model mlp --batch 128 --epochs 200 --memory 512KiB --threads 1 --every 1 --json --checkpoint`
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args.split(' '), path], {
    ...as,
    cwd: '/',
    env: CHILD_ENV,
  })
  assert.ok(child.stdout && child.stderr)
  let [err, last] = ['', -1]
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { event, step }: Event = JSON.parse(line)
    if (event === 'checkpoint') last = Number(step)
    if (event === 'step' && Number(step) >= 5) disturb()
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, err, last }
}

async function assertKept(path: string, disturb: () => void, reason: string, as?: object): Promise<void> {
  const { code, err, last } = await train(path, disturb, as)
  assert.is(code, EXIT.failed, err)
  assert.match(err, new RegExp(`^sluice: ${path} could not be written; its old content stays \\(${reason}.*\\)\n$`))
  assert.ok(last >= 4, `${last}`)
  assert.is((await loadCheckpoint(path)).optimizer.steps, last)
}

/** Can another user run the program here? */
const isReadable = spawnSync(process.execPath, [MAIN, '--version'], { ...user, cwd: '/' }).status === 0
if (!isReadable) console.log('skipped: no other user can read this clone and its Node')

;(isReadable ? test : test.skip)('a folder that becomes read-only', async () => {
  const inside = at('folder')
  mkdirSync(inside)
  if (isRoot) {
    chownSync(inside, NOBODY, NOBODY)
    chmodSync(folder, 0o755)
  }
  await assertKept(join(inside, 'run'), () => chmodSync(inside, 0o555), 'EACCES', user)
  chmodSync(inside, 0o755)
})

/** A file system of a mebibyte, in memory, where one can be made. */
const disk = at('disk')
mkdirSync(disk)
if (isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status === 0) mounted = disk
if (mounted === null) console.log('skipped: no file system can be mounted here')
const onDisk = mounted === null ? test.skip : test

onDisk('a disk that becomes full', async () => {
  const fill = () => {
    try {
      for (let n = 0; ; n++) writeFileSync(join(disk, `fill${n}`), new Uint8Array(2 ** 14))
    } catch {
      // now it is full
    }
  }
  await assertKept(join(disk, 'run'), fill, 'ENOSPC')
  assert.not(readdirSync(disk).some((name) => name.endsWith('.tmp')))
  for (const name of readdirSync(disk)) if (name !== 'run') rmSync(join(disk, name))
})

onDisk('a file system that becomes read-only', async () => {
  // refused while a file is open for writing
  const remount = (how: string) => {
    for (let n = 0; n < 200; n++) if (spawnSync('mount', ['-o', `remount,${how}`, disk]).status === 0) return
    assert.unreachable(`could not be made ${how}`)
  }
  await assertKept(join(disk, 'run'), () => remount('ro'), 'EROFS')
  remount('rw')
})

test.run()
