/** A place where a higher layer keeps something on a device (its scope stack, its tape). */
export class Slot<T> {
  /** @param end  called when a plan that used the slot is made */
  constructor(
    readonly create: () => T,
    end?: (value: T) => void,
  ) {
    if (end) this.end = end
  }

  end(_value: T): void {}
}
