/** Gradients that are 0 by choice, on the GPU, as choices.test.ts has them for what runs without one. */
import { test } from 'uvu'
import { openDevice } from '../../src/device/open.js'
import { holdsWhatIsChosen } from '../choices.js'
import { cases, seeds } from './agreement.js'

const RUNS = 2

const gpu = await openDevice('gpu', { memory: '4MiB' })

test('compositions whose outer derivative is infinite where the inner one is 0', () =>
  cases(seeds, (seed) => holdsWhatIsChosen(gpu, seed), RUNS))

test.run()
