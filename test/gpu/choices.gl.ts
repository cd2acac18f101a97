/** Gradients that are 0 by choice, and corner cases, on the GPU: the tests of choices.test.ts for the other devices. */
import { test } from 'uvu'
import { openDevice } from '../../src/device/open.js'
import { holdsWhatIsChosen } from '../choices.js'
import { holdsAtCorners } from '../corners.js'
import { seeds } from '../operands.js'
import { cases } from './agreement.js'
import { api } from './form.js'

const RUNS = 2

const gpu = await openDevice('gpu', { api, memory: '4MiB' })

test('compositions whose outer derivative is infinite where the inner one is 0', () =>
  cases(seeds, (seed) => holdsWhatIsChosen(gpu, seed), RUNS))

test('quotients, powers and losses where a formula taken literally is NaN', () => holdsAtCorners(gpu, 2 ** -18))

test.run()
