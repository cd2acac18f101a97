/** A map that keeps the most recently used entries. */
export class Recent<Value> {
  readonly #values = new Map<string, Value>()

  /** @param limit  how many entries are kept; the least recently used one is dropped first */
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
