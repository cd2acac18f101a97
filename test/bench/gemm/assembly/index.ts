/** The exports of the module of the steps; all take (a, b, c, m, n, k, workspace). */
export { dots } from './dots'
export { packed } from './packed'
export { tiles } from './tiles'
