/** Sample weights as a device will hold them. */
import type { Device } from '../device/device.js'
import { valueAt } from '../ops/targets.js'
import type { HostArray } from '../tensor/host.js'
import { checkSetting } from '../tensor/setting.js'

/** @throws ArgumentError  a weight, or their sum, is not 0 and would be 0 or infinite there */
export function checkWeights(device: Device, weights: HostArray): void {
  let sum = 0
  for (let i = 0; i < weights.data.length; i++) {
    const weight = valueAt(weights, i)
    checkSetting(device, 'sample weights', `that of sample ${i}`, weight)
    sum += weight
  }
  checkSetting(device, 'sample weights', 'their sum', sum)
}
