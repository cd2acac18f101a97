import assert from 'node:assert/strict'
import { HeapAllocator, nn, openDevice, zeros } from 'sluice'

/** The free spaces between blocks, and where the last block ends. */
function gaps(blocks) {
  const holes = []
  let end = 0
  for (const { address, bytes } of [...blocks].sort((a, b) => a.address - b.address)) {
    if (address > end) holes.push({ address: end, bytes: address - end })
    end = address + bytes
  }
  return { holes, tail: end }
}

export default [
  {
    exercise: 'reserved bytes',
    async check({ reservedBytes }) {
      assert.equal(reservedBytes([]), 0, 'no tensor')
      assert.equal(reservedBytes([[16], [17], []]), 64 + 128 + 64)
      const device = await openDevice('cpu', { memory: '4MiB' })
      const shapes = [[3], [1, 1], [10, 100], [7, 5, 3], [2, 3, 4, 5], [4096]]
      const before = device.memory.heldBytes
      for (const shape of shapes) zeros(device, shape)
      assert.equal(reservedBytes(shapes), device.memory.heldBytes - before, 'the bytes that the device holds')
      await device.close()
    },
  },
  {
    exercise: 'the place of a block',
    check({ place }) {
      assert.equal(place([], 128, 10), 128, 'without a hole it is the tail')
      assert.equal(place([{ address: 0, bytes: 64 }], 128, 65), 128, 'a hole that is too small')
      assert.equal(
        place(
          [
            { address: 640, bytes: 64 },
            { address: 0, bytes: 128 },
          ],
          4096,
          1,
        ),
        640,
        'the smallest hole',
      )
      assert.equal(
        place(
          [
            { address: 640, bytes: 64 },
            { address: 0, bytes: 64 },
          ],
          4096,
          64,
        ),
        0,
        'the lowest of two',
      )
      const random = nn.generator(2)
      const heap = new HeapAllocator(2 ** 30)
      const live = []
      for (let i = 0; i < 3000; i++) {
        if (live.length > 0 && random() < 0.5) {
          heap.free(live.splice(Math.floor(random() * live.length), 1)[0])
          continue
        }
        const bytes = 1 + Math.floor(random() * 1000)
        const { holes, tail } = gaps(live)
        const expected = place(holes, tail, bytes)
        const block = heap.alloc(bytes, 'activation', 'exercise')
        assert.equal(
          expected,
          block.address,
          `request ${i}, of ${bytes} bytes; the allocator's own place is on the right`,
        )
        live.push(block)
      }
    },
  },
]
