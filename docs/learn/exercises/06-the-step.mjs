/** The exercises of chapter 6. Try them: npm run learn -- 6 */

/**
 * The life of each block, from the instructions that touch it.
 * @param {{ operands: (number | null)[] }[]} turns  in order; an operand is the number of a block, or null
 * @param {number} blocks  how many there are; each is touched
 * @returns {{ birth: number, death: number }[]}  the first and the last turn that touches it, for each block
 */
export function lives(turns, blocks) {
  throw new Error('TODO: the first and the last turn of each block')
}

/**
 * A chain of layers, each with an output of one unit. The forward keeps the outputs number every, 2 every, 3 every, ...
 * (counted from 1) and drops the others. The backward goes over the segments between them, from the last to the first: it
 * makes the dropped outputs of a segment again, so that all outputs of the segment are there, with all outputs
 * that are kept and come before it. After its segment everything in it is freed.
 *
 * @returns {{ every: number, peak: number }}  the `every`, from 1 to layers, with which the most units that are held at
 *                                              once are fewest (the smallest of equal ones), and these units
 */
export function bestChain(layers) {
  throw new Error('TODO: try each `every`')
}
