import assert from 'node:assert/strict'
import { crossEntropy, models, openVirtualDevice, optim, Streamer } from 'sluice'

/** The most outputs that are held, by going through the chain with a set. */
function simulated(layers, every) {
  const held = new Set()
  for (let i = 1; i <= layers; i++) if (i % every === 0) held.add(i)
  let most = held.size
  let end = layers
  while (end > 0) {
    const begin = Math.ceil(end / every - 1) * every
    for (let i = begin + 1; i <= end; i++) held.add(i)
    most = Math.max(most, held.size)
    for (let i = begin + 1; i <= end; i++) held.delete(i)
    end = begin
  }
  return most
}

export default [
  {
    exercise: 'lives',
    check({ lives }) {
      const turns = [[0], [null, 1, 0], [2], [1, null], [2]].map((operands) => ({ operands }))
      const expected = [
        { birth: 0, death: 1 },
        { birth: 1, death: 3 },
        { birth: 2, death: 4 },
      ]
      assert.deepEqual(lives(turns, 3), expected)
      for (const build of [models.mlp, models.lenet, models.convnet]) {
        const model = build(openVirtualDevice('cpu'))
        const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.sgd(model) })
        const { passes } = streamer.plan({ batch: 8 }).toJSON()
        const pass = passes.find(({ name }) => name === 'micro-batch')
        const found = lives(pass.turns, pass.blocks.length)
        pass.blocks.forEach(({ birth, death, op }, i) => {
          assert.deepEqual(found[i], { birth, death }, `block ${i} of ${build.name}, for ${op}`)
        })
      }
    },
  },
  {
    exercise: 'a chain',
    check({ bestChain }) {
      assert.deepEqual(bestChain(1), { every: 1, peak: 1 })
      for (const layers of [2, 3, 9, 16, 50, 100, 1000]) {
        const peaks = Array.from({ length: layers }, (_, i) => simulated(layers, i + 1))
        const peak = Math.min(...peaks)
        assert.deepEqual(bestChain(layers), { every: peaks.indexOf(peak) + 1, peak }, `${layers} layers`)
      }
    },
  },
]
