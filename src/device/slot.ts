/** A place where a higher layer keeps something on a device (its scope stack, its tape). */
export class Slot<T> {
  /** @param end  called when a rehearsal that used the slot is over */
  constructor(
    readonly create: () => T,
    end?: (value: T) => void,
  ) {
    if (end) this.end = end
  }

  end(_value: T): void {}
}
