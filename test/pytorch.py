"""
The cases of pytorch.test.ts by PyTorch 1.13 in float64: python3 test/pytorch.py > test/pytorch.json
Each is the expression, its inputs and c; the gradients are those of (y * c).sum(). c counts 1, 2, 3, 1, 2, 3, ...
"""
import json
import torch
import torch.nn.functional as F
from torch import nn

inf, nan = float('inf'), float('nan')
X = [[1, 3, -2], [0.5, 0.5, 4]]
T = [[1, 2, 0], [0.25, 1, 3]]
SHARES = [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]]
PLANES = [[[1, 3], [-2, 0], [2, 1]], [[0.5, 0.5], [4, 1], [-1, 2]]]
MIXES = [[[0.5, 1], [0.25, 0], [0.25, 0]], [[0, 0.125], [1, 0.5], [0, 0.375]]]
IMAGE = [[[[1, 2, 0, 5, -1, 3, 2], [3, -1, 4, 0.5, 2, 1, 0], [2, 2, 1, 1, 0, -3, 5], [0, 1, 0, 2, 7, 1, 1]]]]
SIGNAL = [[[1, 2, 0, 3, -1, 4], [2, 0, 1, 1, -2, 5]]]
QUERIES = [[[1, 2, 0, -1], [0.5, 3, 1, 1]], [[-2, 1, 4, 0.25], [1, 1, 0, 2]]]
KEYS = [[[2, -1, 1, 0.5]], [[0, 1, 1, 3]]]
STEPS = [[[1, 2], [0, -1], [0.5, 3]], [[-2, 1], [4, 0.25], [1, 1]]]


def recurrent(layer, *given):
    layer.double()
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            # in eighths, another row of them for each parameter
            n = parameter.numel()
            values = torch.arange(n, dtype=torch.float64) * 7 + sum(map(ord, name))
            parameter.copy_(((values % 17 - 8) / 8).reshape(parameter.shape))
    return layer(*given)


def states(of):
    return torch.cat([state.transpose(0, 1) for state in of], 1)


def weights(layer, x):
    recurrent(layer, x)[0].square().sum().backward()
    x.grad = None
    return torch.cat([parameter.grad.flatten() for parameter in layer.parameters()]) + 0 * x.sum()


CASES = [
    ('x.amin(1)', [[[1, 3, 1], [0.5, 2, 4]]]),
    ('x.amin()', [[[1, 3, 1], [0.5, 2, 4]]]),
    ('x.argmin(1)', [[[1, 3, 1], [4, 2, 4]]]),
    ('x.std(1)', [X]),
    ('x.std(0, unbiased=False)', [[[1, 3], [1, 5]]]),
    ('x.std()', [[[[2]], [[5]]]]),
    ('x.norm(dim=1)', [[[3, 4], [0, 0], [-1, 2]]]),
    ('x.norm(dim=(0, 1), keepdim=True)', [X]),
    ('torch.logsumexp(x, 1)', [[[1, 2, 0.5], [100, 101, -300], [-inf, 0, 1], [inf, 0, 1]]]),
    ('torch.logsumexp(x, (0, 1))', [X]),
    ('torch.stack([a, b], 1)', [X, [[9, 8, 7], [6, 5, 4]]]),
    ('x.split(2, 1)[1]', [X]),
    ('x.split([1, 2], 1)[1]', [X]),
    ('x.chunk(3)[1]', [[1, 2, 3, 4, 5, 6, 7]]),
    ('x.chunk(4)[2]', [[1, 2, 3, 4, 5]]),
    ('x.transpose(0, -1)', [[[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 8], [7, 6]]]]),
    ('F.one_hot(x, 4)', [[[0, 3], [2, 1]]]),
    ('x.detach() * x', [[2, 3]]),
    ("F.gelu(x, approximate='tanh')", [[-2, -0.5, 0, 1, 3, -9, inf]]),
    ('x.sin()', [[-2, -0.5, 0, 1, 1e6, inf]]),
    ('x.cos()', [[-2, -0.5, 0, 1, 1e6, nan]]),
    ('x.sign() * x', [[-2, 0, 3, nan, -inf]]),
    ('x.floor() + x', [[-2.5, -0.0, 2.75, nan, inf]]),
    ('x.round() + x', [[0.5, 1.5, 2.5, -0.5, -1.5, 0.75, -0.25, -inf, 8388609]]),
    ('a ** b', [[1, 0, 0, 0, -2, -2, -1, 0.5, 2, 3, inf, 1, nan], [2, 0, 2, -1, 3, 0.5, inf, -inf, -2, nan, 0, nan, 0]]),
    ('torch.pow(a, b)', [[[[1.5, 2], [0.5, 3]]], [[0.5], [-2]]]),
    ('torch.pow(2, x)', [[-1, 0, 0.5, 3]]),
    ('x.cumsum(1)', [[[1, 2, 3], [4, -1, 2]]]),
    ('x.cumsum(0)', [[[[1, 2], [3, 4]], [[0.5, 0], [-1, inf]]]]),
    ('x.prod(1)', [[[2, 3, 4], [0, 2, 5], [0, 3, 0], [1, -1, 0.5]]]),
    ('x.prod()', [[[2, 0.5], [-3, 1]]]),
    ('x.prod(0, keepdim=True)', [[[2, 0], [3, 1], [0.5, 4]]]),
    ('x.gather(1, torch.tensor([[2, 2, 0, 1], [0, 1, 2, 2]]))', [X]),
    ('x.gather(0, torch.tensor([[1, 0, 1]]))', [X]),
    ('x.topk(2)[0]', [[[1, 3, -2, 0.5], [0.25, -inf, 4, inf]]]),
    ('x.topk(3, 0)[1]', [[[1, 3], [-inf, 4], [2, 0.5]]]),
    ('x.topk(3, 0)[0] * 2', [[[1, nan], [-inf, 4], [2, -inf]]]),
    ("torch.einsum('bij,bkj->bik', a, b)", [[[[1, 2], [3, -1]]], [[[0.5, 1], [2, 0], [-1, 1]]]]),
    ("torch.einsum('ij,jk,il->lk', a, b, c)", [X, [[1, 2], [0, -1], [0.5, 3]], [[2], [-1]]]),
    ("torch.einsum('ij->j', x)", [X]),
    ("torch.einsum('i,j', a, b)", [[1, 2, -3], [0.5, 4]]),
    ('F.l1_loss(a, b)', [X, T]),
    ('F.huber_loss(a, b, delta=0.75)', [X, T]),
    ('F.binary_cross_entropy_with_logits(a, b, pos_weight=torch.tensor([2., 0.5, 4.]).double())', [X, SHARES]),
    ("F.kl_div(a, b, reduction='batchmean')", [X, SHARES]),
    ("F.kl_div(x, torch.tensor([[1., 0, 0], [0, 0.5, 0.5]]).double(), reduction='batchmean')", [X]),
    ('F.nll_loss(x, torch.tensor([2, 0]))', [X]),
    ('F.cross_entropy(x, torch.tensor([2, 0]), weight=torch.tensor([1., 2, 0.5]).double())', [X]),
    ('F.cross_entropy(x, torch.tensor([[2, -100], [0, 1]]), weight=torch.tensor([1., 2, 0.5]).double())',
     [PLANES]),
    ('F.cross_entropy(a, b)', [X, SHARES]),
    ('F.cross_entropy(a, b, weight=torch.tensor([1., 2, 0.5]).double(), label_smoothing=0.25)', [X, SHARES]),
    ("F.cross_entropy(a, b, label_smoothing=0.25, reduction='none')", [PLANES, MIXES]),
    ("F.cross_entropy(a, b, reduction='sum')", [PLANES, MIXES]),
    ('F.cross_entropy(a, b) * 2', [PLANES, MIXES]),
    ('F.cross_entropy(x, torch.tensor([[2, -100], [0, 1]]), weight=torch.tensor([1., 2, 0.5]).double(), label_smoothing=0.25)',
     [PLANES]),
    ("F.cross_entropy(x, torch.tensor([[2, -100], [0, 1]]), label_smoothing=0.25, reduction='none')", [PLANES]),
    ("F.cross_entropy(x, torch.tensor([[2, -100], [0, 1]]), reduction='sum')", [PLANES]),
    ("F.cross_entropy(x, torch.tensor([2, 0]), reduction='none')", [X]),
    ("F.mse_loss(a, b, reduction='none')", [X, T]),
    ("F.mse_loss(a, b, reduction='sum')", [X, T]),
    ("F.l1_loss(a, b, reduction='none')", [X, T]),
    ("F.huber_loss(a, b, reduction='sum', delta=0.75)", [X, T]),
    ("F.kl_div(a, b, reduction='none')", [X, SHARES]),
    ("F.kl_div(a, b, reduction='sum')", [X, SHARES]),
    ("F.nll_loss(x, torch.tensor([2, 0]), reduction='none')", [X]),
    ("F.binary_cross_entropy_with_logits(x, torch.tensor([[1., 0, 0.5], [0, 1, 1]]).double(), reduction='none')", [X]),
    ("F.binary_cross_entropy_with_logits(x, torch.tensor([[1., 0, 0.5], [0, 1, 1]]).double(), reduction='sum')", [X]),
    ('1 - (2 * (a * b).sum(1) + 1) / ((a + b).sum(1) + 1)', [SHARES, [[1, 0, 0], [1, 1, 0]]]),
    ('F.adaptive_avg_pool2d(x, 1)', [IMAGE]),
    ('F.adaptive_avg_pool2d(x, (2, 7))', [IMAGE]),
    ('F.adaptive_avg_pool2d(x, (3, 4))', [IMAGE]),
    ('F.adaptive_avg_pool2d(x, (5, 2))', [IMAGE]),
    ('F.interpolate(x, scale_factor=(2, 3))', [IMAGE]),
    ("F.interpolate(x, scale_factor=(2, 3), mode='bilinear')", [IMAGE]),
    ("F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=True)", [IMAGE]),
    ("F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=True) * 3", [[[[[1]], [[2]]]]]),
    ('F.conv1d(a, b, c, stride=2, padding=1)', [SIGNAL, [[[1, 2, 0.5], [0, 1, -1]], [[2, 0, 0], [1, 1, 1]]], [0.5, -1]]),
    ('F.conv1d(a, b, dilation=2, groups=2)', [SIGNAL, [[[1, 2]], [[-1, 1]]]]),
    ('F.max_pool1d(x, 3, 2, 1)', [SIGNAL]),
    ('F.avg_pool1d(x, 3, 2, 1, count_include_pad=False)', [SIGNAL]),
    ('a / torch.sqrt((a * a).mean(-1, keepdim=True) + 0.25) * b', [X, [1, 2, 0.5]]),
    ('F.max_pool2d(x, 3, 2, 1, ceil_mode=True)', [IMAGE]),
    ('F.max_pool2d(x, 2, 3, ceil_mode=True)', [IMAGE]),
    ('F.max_pool1d(x, 2, 4, 1, ceil_mode=True)', [SIGNAL]),
    ('F.max_pool2d(x, (2, 3), (1, 2), (1, 1), dilation=(3, 2))', [IMAGE]),
    ('F.max_pool2d(x, 2, 3, 1, dilation=2, ceil_mode=True)', [IMAGE]),
    ('F.max_pool2d(x, 3, 2, dilation=(1, 2), ceil_mode=True)', [IMAGE]),
    ('F.max_pool1d(x, 3, 1, 1, dilation=2)', [SIGNAL]),
    ('F.avg_pool2d(x, 3, 2, ceil_mode=True)', [IMAGE]),
    ('F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)', [IMAGE]),
    ('recurrent(nn.MultiheadAttention(4, 2, batch_first=True), a, b, b)[0]', [QUERIES, [[[2, -1, 1, 0.5], [1, 0, 0, 1], [0, 2, -1, 1]]] * 2]),
    ('recurrent(nn.MultiheadAttention(4, 2, batch_first=True), a, b, c)[0]', [QUERIES, KEYS, [[[1, 0, 2, 1]], [[0, 3, 1, -1]]]]),
    ('recurrent(nn.LSTM(2, 3, batch_first=True), x)[0]', [STEPS]),
    ('recurrent(nn.LSTM(2, 3, 2, batch_first=True, bidirectional=True), x)[0]', [STEPS]),
    ('states(recurrent(nn.LSTM(2, 3, 2, batch_first=True, bidirectional=True), x)[1])', [STEPS]),
    ('recurrent(nn.LSTM(2, 2, batch_first=True, bias=False), a, (b.transpose(0, 1), c.transpose(0, 1)))[0]',
     [STEPS, [[[1, -1]], [[0.5, 2]]], [[[0, 3]], [[-2, 1]]]]),
    ('recurrent(nn.LSTM(1, 1, batch_first=True), x)[0]', [[[[2]]]]),
    ('weights(nn.LSTM(2, 2, batch_first=True), x)', [STEPS]),
    ('recurrent(nn.GRU(2, 3, 2, batch_first=True), x)[0]', [STEPS]),
    ('states(recurrent(nn.GRU(2, 3, 2, batch_first=True, bidirectional=True), x)[1:])', [STEPS]),
    ('recurrent(nn.GRU(2, 2, batch_first=True, bias=False), a, b.transpose(0, 1))[0]', [STEPS, [[[1, -1]], [[0.5, 2]]]]),
    ('weights(nn.GRU(2, 2, batch_first=True), x)', [STEPS]),
    ('F.relu6(x) + F.softplus(x)', [[-1, 0, 3, 5.5, 8]]),
    ('F.elu(x, 0.5) + nn.Identity()(x)', [[-200, -2, -0.5, 0, 3, inf]]),
    ('F.mish(x)', [[-20, -2, -0.5, 0, 3]]),
    # F.hardsigmoid has a slope of 1 / 6 in float32, even in float64
    ('F.hardswish(x) + F.relu6(x + 3) / 6', [[-4, -1, 0.5, 2, 5]]),
    ('nn.LogSoftmax(0)(x)', [X]),
    ('torch.arange(1, 2, 0.25) * x', [2]),
    ('torch.arange(5, 0, -2) * x', [2]),
]


def plain(values):
    return [value if abs(value) < inf else repr(value) for value in values]


def run(name, inputs):
    whole = 'one_hot' in name
    leaves = [torch.tensor(v, dtype=torch.int64 if whole else torch.float64, requires_grad=not whole) for v in inputs]
    names = ['x'] if len(leaves) == 1 else ['a', 'b', 'c'][: len(leaves)]
    y = eval(name, {**globals(), 'torch': torch, 'F': F, 'nn': nn, **dict(zip(names, leaves))})
    c = (torch.arange(y.numel(), dtype=torch.float64) % 3 + 1).reshape(y.shape)
    if y.requires_grad:
        (y * c).sum().backward()
    gradients = [None if leaf.grad is None else plain(leaf.grad.flatten().tolist()) for leaf in leaves]
    given = [plain_nested(v) for v in inputs]
    return {'name': name, 'inputs': given, 'y': plain(y.detach().flatten().tolist()), 'shape': list(y.shape), 'gradients': gradients}


def plain_nested(value):
    if isinstance(value, list):
        return [plain_nested(item) for item in value]
    return value if abs(value) < inf else repr(value)


print('[\n' + ',\n'.join(json.dumps(run(*case)) for case in CASES) + '\n]')
