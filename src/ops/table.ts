/** The only list of all ops, gathered from their modules. */
import * as along from './along.js'
import * as attention from './attention.js'
import * as batchNorm from './batch-norm.js'
import * as binary from './binary.js'
import * as conv from './conv.js'
import * as convTranspose from './conv-transpose.js'
import { crossEntropy } from './cross-entropy.js'
import type { Op } from './declaration.js'
import { dropout } from './dropout.js'
import * as embedding from './embedding.js'
import * as extremes from './extremes.js'
import { linearCrossEntropy } from './linear-cross-entropy.js'
import * as logSumExp from './log-sum-exp.js'
import * as matmul from './matmul.js'
import * as movement from './movement.js'
import * as norm from './norm.js'
import * as pointLoss from './point-loss.js'
import * as pool from './pool.js'
import * as reduce from './reduce.js'
import * as softmax from './softmax.js'
import * as unary from './unary.js'
import * as variance from './variance.js'
import * as views from './views.js'
import * as where from './where.js'

/**
 * Every op function by name. A module that is listed whole exports only ops. The type is built from the modules, not
 * from the value below, so that the names are known before the type of any op is: chain.ts needs that.
 */
type Families = typeof unary &
  typeof binary &
  typeof where &
  typeof matmul &
  typeof reduce &
  typeof along &
  typeof extremes &
  typeof variance &
  typeof logSumExp &
  typeof movement &
  typeof views &
  typeof conv &
  typeof attention &
  typeof convTranspose &
  typeof pool &
  typeof softmax &
  typeof norm &
  typeof batchNorm &
  typeof embedding &
  typeof pointLoss & {
    dropout: typeof dropout
    crossEntropy: typeof crossEntropy
    linearCrossEntropy: typeof linearCrossEntropy
  }

/** Every public op function by name. */
export type Ops = { readonly [Name in keyof Families]: Families[Name] }

export const ops: Ops = {
  ...unary,
  ...binary,
  ...where,
  ...matmul,
  ...reduce,
  ...along,
  ...extremes,
  ...variance,
  ...logSumExp,
  ...movement,
  ...views,
  ...conv,
  ...attention,
  ...convTranspose,
  ...pool,
  ...softmax,
  ...norm,
  ...batchNorm,
  ...embedding,
  dropout,
  crossEntropy,
  linearCrossEntropy,
  ...pointLoss,
}

/** Every op once. Tests, gradient checks and the list in the documentation are generated from it. */
export const opTable: readonly Op<unknown>[] = [...new Set(Object.values(ops).map(({ op }) => op))]
