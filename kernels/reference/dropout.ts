/** Random numbers and dropout: machine/dropout.ts. */
export { dropout, uniform } from './machine/dropout.js'
