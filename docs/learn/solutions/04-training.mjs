import { Module, nn } from 'sluice'

export class Skip extends Module {
  constructor(device, features, classes) {
    super(device)
    this.inner = new nn.Linear(device, features, features)
    this.out = new nn.Linear(device, features, classes)
  }

  forward(x) {
    return this.out.forward(this.inner.forward(x).relu().add(x))
  }
}

export function momentumStep(w, gradient, v, { learningRate, momentum, weightDecay }) {
  for (let i = 0; i < w.length; i++) {
    v[i] = momentum * v[i] + gradient[i] + weightDecay * w[i]
    w[i] -= learningRate * v[i]
  }
}
