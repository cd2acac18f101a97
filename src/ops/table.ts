/** All ops, gathered from their families: an op is listed nowhere else. */
import * as attention from './attention.js'
import * as conv from './conv.js'
import * as convTranspose from './conv-transpose.js'
import type { Op } from './declaration.js'
import * as elementwise from './elementwise.js'
import * as embedding from './embedding.js'
import * as loss from './loss.js'
import * as matmul from './matmul.js'
import * as movement from './movement.js'
import * as norm from './norm.js'
import * as pool from './pool.js'
import * as random from './random.js'
import * as reduce from './reduce.js'
import * as softmax from './softmax.js'

/** Named by its modules and not by a value, so that its names are known before any op's type is (chain.ts needs that). */
type Families = typeof elementwise &
  typeof matmul &
  typeof reduce &
  typeof movement &
  typeof conv &
  typeof attention &
  typeof convTranspose &
  typeof pool &
  typeof softmax &
  typeof norm &
  typeof embedding &
  typeof random &
  typeof loss

/** Every public op function by name. */
export type Ops = {
  readonly [Name in Exclude<keyof Families, 'sendSum' | 'sendBias' | 'crossEntropyLoss'>]: Families[Name]
}

const { sendSum, sendBias, crossEntropyLoss, ...found } = {
  ...elementwise,
  ...matmul,
  ...reduce,
  ...movement,
  ...conv,
  ...attention,
  ...convTranspose,
  ...pool,
  ...softmax,
  ...norm,
  ...embedding,
  ...random,
  ...loss,
}

export const ops: Ops = found

/** Every op once. Tests, gradient checks and the documentation's list are generated from it. */
export const opTable: readonly Op<unknown>[] = [...new Set(Object.values(ops).map(({ op }) => op))]
