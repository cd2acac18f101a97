/** Thrown if a peer lacks something that a workload needs; the message says what. */
export class Absent extends Error {}
