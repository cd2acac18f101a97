/**
 * Our tests, for your own ops, losses and modules. A check is an async function that throws a CheckError where it finds a
 * fault, so it works in any test runner. The arbitraries are for fast-check, which you install beside Sluice.
 */
import '../ops/chain.js'

export { type AllocationOptions, type AllocationReport, checkEveryAllocation } from './allocations.js'
export * from './arbitraries.js'
export { CheckError } from './check-error.js'
export { checkDevices, type DevicesOptions, type DevicesReport } from './devices.js'
export { checkGradient, type GradientOptions, type GradientReport } from './gradient.js'
export { checkPlan, type PlanCheckOptions, type PlanReport } from './plan.js'
export { checkSplitInvariant, type SplitOptions, type SplitReport } from './split.js'
export type { Fn, Inputs, Training } from './subject.js'
