/**
 * Is this the module `wide`, in which V8 fuses two neighbouring vectors into one of 256 bits? kernels/build.mjs defines
 * PAIRS for it alone. V8 fuses two stores to neighbouring addresses, one after the other, and what they are computed from.
 */
export const PAIRED: bool = isDefined(PAIRS)
