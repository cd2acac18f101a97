/** Dropout: machine/dropout.ts. */
export { dropout } from './machine/dropout.js'
