/** IDX files, the format of MNIST. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** IDX: 0, 0, uint8, rank, then big-endian dims and the bytes. */
export function writeIdx(dir: string, name: string, shape: readonly number[], value: (i: number) => number): void {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.set([0, 0, 8, shape.length])
  shape.forEach((dim, axis) => {
    header.writeUInt32BE(dim, 4 + 4 * axis)
  })
  const size = shape.reduce((product, dim) => product * dim, 1)
  writeFileSync(join(dir, name), Buffer.concat([header, Buffer.from(Array.from({ length: size }, (_, i) => value(i)))]))
}
