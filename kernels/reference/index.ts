/**
 * The reference dialect: every kernel as plain loops over Float32Array or Float64Array.
 *
 * It is the definition of each op. Gradient checks run on it in double precision, and the other dialects are
 * compared with it. Sums are taken in double precision, even for arrays of float32.
 *
 * The files of this folder export kernels and nothing else.
 */
import type { Kernels } from '../kernels.js'
import * as along from './along.js'
import * as attention from './attention.js'
import * as convolution from './convolution.js'
import * as defined from './defined.js'
import * as dropout from './dropout.js'
import * as elementwise from './elementwise.js'
import * as loss from './loss.js'
import * as matmul from './matmul.js'
import * as movement from './movement.js'
import * as norm from './norm.js'
import * as optimizer from './optimizer.js'
import * as pool from './pool.js'
import * as reduce from './reduce.js'
import * as softmax from './softmax.js'

export const reference: Kernels = {
  ...along,
  ...attention,
  ...convolution,
  ...defined,
  ...dropout,
  ...elementwise,
  ...loss,
  ...matmul,
  ...movement,
  ...norm,
  ...optimizer,
  ...pool,
  ...reduce,
  ...softmax,
}
