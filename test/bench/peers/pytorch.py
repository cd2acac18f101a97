"""PyTorch. Arguments: WORKLOAD THREADS; speaks as serve.mjs does, draws the numbers of workloads.mjs.

Needs Debian's python3-torch and libopenblas0-pthread; another BLAS is refused, because it is another peer.
"""
import json
import sys
import time


class Absent(Exception):
    """PyTorch is here, but not what a workload needs."""


def say(message):
    print(json.dumps(message), flush=True)


try:
    import numpy as np
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError as error:
    say({'absent': f'{error}: install python3-torch and libopenblas0-pthread'})
    sys.exit(0)


def mulberry32(count, seed):
    """The generator of workloads.mjs, all values at once: its state is a multiple of a constant."""
    with np.errstate(over='ignore'):
        state = np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
        t = (state ^ (state >> np.uint32(15))) * (np.uint32(1) | state)
        t = (t + (t ^ (t >> np.uint32(7))) * (np.uint32(61) | t)) ^ t
        return (t ^ (t >> np.uint32(14))).astype(np.float64) / 2 ** 32


def uniform(shape, low, high, seed):
    values = low + (high - low) * mulberry32(int(np.prod(shape)), seed)
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def weights(shape, fan_in, seed):
    return uniform(shape, -fan_in ** -0.5, fan_in ** -0.5, seed)


def labels(count, kinds, seed):
    return torch.from_numpy(np.floor(mulberry32(count, seed) * kinds).astype(np.int64))


def fill(model, values):
    """Weights as given, in order; biases zero."""
    values = list(values)
    for layer in model.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            layer.weight.data.copy_(values.pop(0))
            layer.bias.data.zero_()
    return model


def training(model, loss_of, kind, rate):
    parameters = model.parameters()
    optimizer = torch.optim.SGD(parameters, lr=rate) if kind == 'sgd' else torch.optim.Adam(parameters, lr=1e-3)

    def step():
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        optimizer.step()
        return loss.item()
    return step, None


def mlp(kind, batch=256):
    widths = [784, 512, 256, 10]
    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))
    fill(model, (weights(widths[i:i + 2], widths[i], 100 + i).T for i in range(3)))
    x, y = uniform([batch, 784], 0, 1, 1), labels(batch, 10, 2)
    return training(model, lambda m: F.cross_entropy(m(x), y), kind, 0.1)


def cnn(kind, batch=64):
    model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                          nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                          nn.Flatten(), nn.Linear(1568, 10))
    dense = weights([7, 7, 32, 10], 1568, 23).permute(3, 2, 0, 1).reshape(10, 1568)
    fill(model, [weights([3, 3, 1, 16], 9, 21).permute(3, 2, 0, 1),
                 weights([3, 3, 16, 32], 144, 22).permute(3, 2, 0, 1), dense])
    x, y = uniform([batch, 1, 28, 28], 0, 1, 11), labels(batch, 10, 12)
    return training(model, lambda m: F.cross_entropy(m(x), y), kind, 0.05)


class ResBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(64, 64, 3, padding=1), nn.Conv2d(64, 64, 3, padding=1)
        self.norm1, self.norm2 = nn.GroupNorm(8, 64), nn.GroupNorm(8, 64)

    def forward(self, x):
        return F.relu(x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))


def resblock(kind):
    model = fill(ResBlock(), (weights([64, 64, 3, 3], 576, seed) for seed in (42, 43)))
    x = uniform([16, 64, 32, 32], 0, 1, 41)
    return training(model, lambda m: m(x).square().mean(), kind, 0.05)


def transformer(kind):
    model = nn.TransformerEncoderLayer(256, 8, 1024, 0, 'gelu', batch_first=True, norm_first=True)
    attention = model.self_attn
    for weight, bias, seed in ((attention.in_proj_weight, attention.in_proj_bias, 31),
                               (attention.out_proj.weight, attention.out_proj.bias, 32),
                               (model.linear1.weight, model.linear1.bias, 33),
                               (model.linear2.weight, model.linear2.bias, 34)):
        weight.data.copy_(weights(list(weight.shape), weight.shape[1], seed))
        bias.data.zero_()
    x = uniform([8, 128, 256], 0, 1, 30)
    mask = torch.triu(torch.full((128, 128), float('-inf')), 1)
    return training(model, lambda m: m(x, src_mask=mask).square().mean(), kind, 0.05)


def product(compute, index):
    """The last result is kept, so that an element of it can be compared."""
    last = None

    def step():
        nonlocal last
        with torch.no_grad():
            last = compute()
    return step, lambda: last[index].item()


def matmul(n):
    a, b = uniform([n, n], -1, 1, 5), uniform([n, n], -1, 1, 6)
    return product(lambda: torch.mm(a, b), (3, 7))


def convolution(name, part):
    inputs, outputs, size, batch = {'conv1x16': (1, 16, 28, 64), 'conv16x32': (16, 32, 14, 64),
                                    'conv64x64': (64, 64, 32, 16)}[name]
    x = uniform([batch, inputs, size, size], -1, 1, 31)
    w = uniform([outputs, inputs, 3, 3], -1, 1, 32)
    dy = uniform([batch, outputs, size, size], -1, 1, 33)
    if part == 'fwd':
        return product(lambda: F.conv2d(x, w, padding=1), (1, 3, 5, 7))
    backward = torch.ops.aten.convolution_backward
    mask = [part == 'dx', part == 'dw', False]
    gradient = 0 if part == 'dx' else 1
    index = (1, 0, 5, 7) if part == 'dx' else (3, 0, 1, 2)
    return product(lambda: backward(dy, x, w, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask)[gradient], index)


def make(workload):
    family, _, rest = workload.partition('_')
    if family.startswith('matmul'):
        return matmul(int(family[len('matmul'):]))
    if family.startswith('conv'):
        return convolution(family, rest)
    models = {'mlp': mlp, 'cnn': cnn, 'resblock': resblock, 'transformer': transformer}
    if family not in models:
        raise Absent(f'{family} is not written for PyTorch')
    return models[family](rest)


def blas():
    """Which BLAS is loaded, by the libraries mapped into this process."""
    torch.mm(torch.ones(64, 64), torch.ones(64, 64))
    with open('/proc/self/maps') as maps:
        if 'openblas' not in maps.read():
            raise Absent("PyTorch's BLAS is not OpenBLAS: install libopenblas0-pthread")
    return 'OpenBLAS'


def main():
    torch.set_num_threads(int(sys.argv[2]))
    try:
        version = f'{torch.__version__} + {blas()}'
        step, probe = make(sys.argv[1])
    except Absent as error:
        say({'absent': str(error)})
        return
    say({'version': version})
    losses = []

    def run():
        loss = step()
        if loss is not None and len(losses) < 4:
            losses.append(loss)

    for line in sys.stdin:
        order = json.loads(line)
        for _ in range(order['untimed']):
            run()
        ms = []
        for _ in range(order['timed']):
            started = time.perf_counter()
            run()
            ms.append((time.perf_counter() - started) * 1e3)
        say({'ms': ms, 'losses': losses, 'probe': probe and probe()})


main()
