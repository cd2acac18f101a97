/** Errors of files. The message names the file, the place in it, and the reason. */
import { SluiceError } from '../memory/errors.js'

/** A file could not be read or written, or its content is wrong. */
export class FileError extends SluiceError {}

/** Bytes that are not a safetensors file, or tensors that cannot be written as one. */
export class SafetensorsError extends FileError {}

/** A name as messages show it: short, and without characters that move a terminal's cursor or reverse its text. */
export function showName(name: string): string {
  const shown = name.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`)
  return shown.length > 80 ? `${shown.slice(0, 80)}... (${name.length} characters)` : shown
}
