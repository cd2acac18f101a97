/** Thrown where a peer has not got what a workload needs; the message says what. */
export class Absent extends Error {}
