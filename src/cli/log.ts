/** `--log FILE`: a training as lines of JSON, which `sluice plot` draws. A resumed training goes on at the end of the file. */
import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs'
import { FileError, showName } from '../io/index.js'
import { reasonOf } from '../memory/errors.js'
import { emit } from './io.js'

export class Log {
  readonly #file: number

  /** @throws FileError  the file cannot be written */
  constructor(
    readonly path: string,
    { append }: { append: boolean },
  ) {
    this.#file = this.#trying(() => openSync(path, append ? 'a+' : 'w'))
    if (append && this.#endsInALine()) this.#write('\n')
  }

  /** Add a line. @throws FileError  it could not be written */
  add(event: string, fields: object): void {
    emit({ out: (text) => this.#write(text) }, event, fields)
  }

  close(): void {
    closeSync(this.#file)
  }

  /** Did the disk fill up in the middle of a line? */
  #endsInALine(): boolean {
    const { size } = fstatSync(this.#file)
    const last = new Uint8Array(1)
    return size > 0 && readSync(this.#file, last, 0, 1, size - 1) === 1 && last[0] !== 10
  }

  #write(text: string): void {
    this.#trying(() => writeFileSync(this.#file, text))
  }

  #trying<T>(work: () => T): T {
    try {
      return work()
    } catch (cause) {
      throw new FileError(`--log: ${showName(this.path)} cannot be written (${reasonOf(cause)})`, { cause })
    }
  }
}
