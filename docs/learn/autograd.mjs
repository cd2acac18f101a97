/** Autograd in 60 lines: numbers that know how they were computed. Chapter 1 explains it. */

/** Every operation that ran, in order: its output, its inputs, and the gradients of the inputs. */
export const tape = []

export class Value {
  gradient = 0
  constructor(number) {
    this.number = number
  }

  /** d(a + b) = da + db */
  add(other) {
    return record('+', this.number + other.number, [this, other], (d) => [d, d])
  }

  /** d(a b) = b da + a db */
  mul(other) {
    return record('*', this.number * other.number, [this, other], (d) => [d * other.number, d * this.number])
  }

  /** d(1 / a) = -da / a^2 */
  inverse() {
    return record('1 /', 1 / this.number, [this], (d) => [-d / this.number ** 2])
  }

  /** d(exp a) = exp(a) da */
  exp() {
    const y = Math.exp(this.number)
    return record('exp', y, [this], (d) => [d * y])
  }

  /** d(max(a, 0)) = da where a > 0, else 0 */
  relu() {
    return record('relu', Math.max(this.number, 0), [this], (d) => [this.number > 0 ? d : 0])
  }

  sub(other) {
    return this.add(other.mul(new Value(-1)))
  }

  div(other) {
    return this.mul(other.inverse())
  }
}

/** Notes an operation on the tape. `gradients` takes d loss / d output and returns d loss / d input for each input. */
export function record(name, number, inputs, gradients) {
  const output = new Value(number)
  tape.push({ name, output, inputs, gradients })
  return output
}

/** Adds d loss / d v to the gradient of every value v that led to the loss. Uses up the tape. */
export function backward(loss) {
  loss.gradient = 1
  for (let node = tape.pop(); node; node = tape.pop()) {
    node.gradients(node.output.gradient).forEach((part, i) => (node.inputs[i].gradient += part))
  }
}
