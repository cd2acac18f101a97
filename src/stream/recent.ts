/** A map that remembers what was used last. */
export class Recent<Value> {
  readonly #values = new Map<string, Value>()

  /** @param limit  so many values stay; the one not used for longest goes first */
  constructor(readonly limit: number) {}

  get(key: string): Value | undefined {
    const value = this.#values.get(key)
    if (value !== undefined) this.set(key, value)
    return value
  }

  set(key: string, value: Value): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    if (this.#values.size <= this.limit) return
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest)
      return
    }
  }

  clear(): void {
    this.#values.clear()
  }
}
