/** The options of gelu, shared with its layer. */
import { oneOf, options } from '../memory/arguments.js'

export interface GeluOptions {
  /** 'none', the default: the erf form; 'tanh': `geluTanh` */
  approximate?: 'none' | 'tanh'
}

export const GELU_OPTIONS = options<GeluOptions>({ approximate: oneOf('none', 'tanh') })
