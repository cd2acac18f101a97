/** Thrown where a peer lacks what a workload needs; the message says what it lacks. */
export class Absent extends Error {}
