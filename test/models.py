"""
The models of small-models.ts by PyTorch 1.13 in float64: python3 test/models.py > test/models.json
For each: the loss, and for each parameter by its name the sum of gradient times `spread` and the norm of the gradient; and how
far PyTorch's float32 is from that, as models.test.ts measures it. Weights and batches are those of models.test.ts and
small-models.ts.
"""
import copy
import json
import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 5
SAMPLES = 4


def spread(size, seed):
    i = torch.arange(size, dtype=torch.float64)
    return ((i * 1103515245 + seed * 12345 + 6789) % 2**31) / 2**30 - 1


def conv(before, after, kernel, stride=1, groups=1):
    sides = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = tuple(side // 2 for side in sides)
    return nn.Conv2d(before, after, kernel, stride, padding, groups=groups, bias=False)


def means(x):
    return x.mean((2, 3))


class Block(nn.Module):
    def __init__(self, bottleneck, before, width, stride):
        super().__init__()
        after = 4 * width if bottleneck else width
        plan = [(width, 1, 1), (width, 3, stride), (after, 1, 1)] if bottleneck else [(width, 3, stride), (width, 3, 1)]
        self.count = len(plan)
        channels = before
        for i, (to, kernel, by) in enumerate(plan, 1):
            setattr(self, f'conv{i}', conv(channels, to, kernel, by))
            setattr(self, f'bn{i}', nn.BatchNorm2d(to))
            channels = to
        same = before == after and stride == 1
        self.downsample = None if same else nn.Sequential(conv(before, after, 1, stride), nn.BatchNorm2d(after))

    def forward(self, x):
        h = x
        for i in range(1, self.count + 1):
            h = getattr(self, f'bn{i}')(getattr(self, f'conv{i}')(F.relu(h) if i > 1 else h))
        return F.relu(h + (self.downsample(x) if self.downsample else x))


class ResNet(nn.Module):
    def __init__(self, bottleneck, counts, width, small=True):
        super().__init__()
        self.small = small
        self.conv1 = conv(3, width, 3) if small else conv(3, width, 7, 2)
        self.bn1 = nn.BatchNorm2d(width)
        before = width
        for stage, count in enumerate(counts):
            blocks = []
            for i in range(count):
                blocks.append(Block(bottleneck, before, width * 2**stage, 2 if i == 0 and stage > 0 else 1))
                before = width * 2**stage * (4 if bottleneck else 1)
            setattr(self, f'layer{stage + 1}', nn.Sequential(*blocks))
        self.fc = nn.Linear(before, CLASSES)

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        if not self.small:
            h = F.max_pool2d(h, 3, 2, 1)
        return self.fc(means(self.layer4(self.layer3(self.layer2(self.layer1(h))))))


class VGG(nn.Module):
    def __init__(self, width, norm=False, small=True):
        super().__init__()
        self.small = small
        layers, before = [], 3
        for to in [1, 1, 0, 2, 2, 0, 4, 4, 4, 0, 8, 8, 8, 0, 8, 8, 8, 0]:
            if to == 0:
                layers.append(nn.MaxPool2d(2))
                continue
            layers.append(nn.Conv2d(before, to * width, 3, padding=1))
            layers += [nn.BatchNorm2d(to * width)] if norm else []
            layers.append(nn.ReLU())
            before = to * width
        self.features = nn.Sequential(*layers)
        hidden = (8 if small else 64) * width
        first = nn.Linear(before * (1 if small else 49), hidden)
        last = [nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(0), nn.Linear(hidden, CLASSES)]
        self.classifier = nn.Sequential(first, nn.ReLU(), nn.Dropout(0), *last)

    def forward(self, x):
        h = self.features(x)
        return self.classifier((h if self.small else F.adaptive_avg_pool2d(h, 7)).flatten(1))


class Residual(nn.Module):
    def __init__(self, before, after, expansion, stride):
        super().__init__()
        width = before * expansion
        self.adds = before == after and stride == 1
        expand = [relu6(before, width, 1)] if expansion > 1 else []
        self.conv = nn.Sequential(
            *expand, relu6(width, width, 3, stride, width), conv(width, after, 1), nn.BatchNorm2d(after)
        )

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


def relu6(before, after, kernel, stride=1, groups=1):
    return nn.Sequential(conv(before, after, kernel, stride, groups), nn.BatchNorm2d(after), nn.ReLU6())


class MobileNet(nn.Module):
    def __init__(self, width, small=True):
        super().__init__()
        layers, before = [relu6(3, width, 3, 1 if small else 2)], width
        table = [(1, 16, 1, 1), (6, 24, 2, 1 if small else 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1)]
        for expansion, channels, count, stride in [*table, (6, 160, 3, 2), (6, 320, 1, 1)]:
            for i in range(count):
                layers.append(Residual(before, channels * width // 32, expansion, stride if i == 0 else 1))
                before = channels * width // 32
        self.features = nn.Sequential(*layers, relu6(before, 1280 * width // 32, 1))
        self.classifier = nn.Sequential(nn.Dropout(0), nn.Linear(1280 * width // 32, CLASSES))

    def forward(self, x):
        return self.classifier(means(self.features(x)))


class Double(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.conv1, self.bn1 = conv(before, after, 3), nn.BatchNorm2d(after)
        self.conv2, self.bn2 = conv(after, after, 3), nn.BatchNorm2d(after)

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


class UNet(nn.Module):
    def __init__(self, width, levels):
        super().__init__()
        widths = [width * 2**level for level in range(levels)]
        self.down = nn.ModuleList(map(Double, [3, *widths], widths))
        self.bottom = Double(widths[-1], 2 * widths[-1])
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(2 * to, to, 2, 2) for to in widths)
        self.up = nn.ModuleList(Double(2 * to, to) for to in widths)
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        skips = []
        for block in self.down:
            skips.append(block(x))
            x = F.max_pool2d(skips[-1], 2)
        x = self.bottom(x)
        for level in reversed(range(len(skips))):
            x = self.up[level](torch.cat([self.enlarge[level](x), skips[level]], 1))
        return self.head(x)


def relu_conv_norm(channels, kernels, strides=(1, 1, 1, 1)):
    layers = []
    for before, after, kernel, stride in zip(channels, channels[1:], kernels, strides):
        layers += [nn.ReLU(), conv(before, after, kernel, stride), nn.BatchNorm2d(after)]
    return nn.Sequential(*layers)


class Halves(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.conv1, self.conv2 = conv(before, after // 2, 1, 2), conv(before, after // 2, 1, 2)
        self.bn = nn.BatchNorm2d(after)

    def forward(self, x):
        h = F.relu(x)
        return self.bn(torch.cat([self.conv1(h), self.conv2(F.pad(h[:, :, 1:, 1:], (0, 1, 0, 1)))], 1))


class Operation(nn.Module):
    def __init__(self, kind, c, stride):
        super().__init__()
        q = c // 4
        self.module = {
            'none': lambda: nn.Identity() if stride == 1 else Halves(c, c),
            'max2': lambda: nn.MaxPool2d(2, stride),
            'max3': lambda: nn.MaxPool2d(3, stride, 1),
            'mean3': lambda: nn.AvgPool2d(3, stride, 1, count_include_pad=False),
            'conv1': lambda: relu_conv_norm([c, c], [1], [stride]),
            'conv3': lambda: relu_conv_norm([c, q, q, c], [1, 3, 1], [1, stride, 1]),
            'conv7': lambda: relu_conv_norm([c, q, q, q, c], [1, (1, 7), (7, 1), 1], [1, (1, stride), (stride, 1), 1]),
        }[kind]()

    def forward(self, x):
        return self.module(x)


NORMAL = '1 conv1 1 max3  1 none 0 conv7  0 conv1 0 conv7  2 max3 2 none  1 mean3 5 conv1', [0, 3, 4, 6]
REDUCTION = '0 max2 0 max3  2 none 1 conv3  2 conv7 2 max3  3 none 1 max2  2 mean3 3 conv1', [4, 5, 6]


class Cell(nn.Module):
    def __init__(self, table, last, before, halved, c):
        super().__init__()
        words = table[0].split()
        self.joined, self.states = table[1], list(map(int, words[::2]))
        self.reduce1 = relu_conv_norm([last, c], [1])
        own = nn.Identity() if before == c else relu_conv_norm([before, c], [1])
        self.reduce2 = Halves(before, c) if halved else own
        stride = [2 if table is REDUCTION and state < 2 else 1 for state in self.states]
        self.operations = nn.ModuleList(map(Operation, words[1::2], [c] * 10, stride))

    def forward(self, last, before):
        made = [self.reduce1(last), self.reduce2(before)]
        done = iter(zip(self.states, self.operations))
        for (i, left), (j, right) in zip(done, done):
            made.append(left(made[i]) + right(made[j]))
        return torch.cat([made[i] for i in self.joined], 1)


class Stem(nn.Module):
    def __init__(self, c, stride):
        super().__init__()
        self.conv, self.bn = conv(3, c, 3, stride), nn.BatchNorm2d(c)

    def forward(self, x):
        return self.bn(self.conv(F.relu(x)))


class AmoebaNet(nn.Module):
    def __init__(self, layers, filters, small=True):
        super().__init__()
        c = filters if small else filters // 4
        last = before = c
        halved = False
        self.stem1 = Stem(c, 1 if small else 2)
        normal = [[(f'cell{stage}_normal{i + 1}', NORMAL) for i in range(layers // 3)] for stage in (1, 3, 5)]
        stem = [] if small else [('stem2', REDUCTION), ('stem3', REDUCTION)]
        cells = [*stem, *normal[0], ('cell2_reduction', REDUCTION), *normal[1], ('cell4_reduction', REDUCTION), *normal[2]]
        self.names = [name for name, _ in cells]
        for name, table in cells:
            c *= 2 if table is REDUCTION else 1
            setattr(self, name, Cell(table, last, before, halved, c))
            last, before, halved = c * len(table[1]), last, table is REDUCTION
        self.classify = nn.Module()
        self.classify.fc = nn.Linear(last, CLASSES)

    def forward(self, x):
        last = before = self.stem1(x)
        for name in self.names:
            last, before = getattr(self, name)(last, before), last
        return self.classify.fc(means(last))


class Projection(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(before, after)), nn.Parameter(torch.empty(after))

    def forward(self, x):
        return x @ self.weight + self.bias


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn, self.mlp = nn.Module(), nn.Module()
        self.attn.c_attn, self.attn.c_proj = Projection(width, 3 * width), Projection(width, width)
        self.mlp.c_fc, self.mlp.c_proj = Projection(width, 4 * width), Projection(4 * width, width)

    def forward(self, x):
        n, t, width = x.shape
        parts = self.attn.c_attn(self.ln_1(x)).chunk(3, -1)
        q, k, v = (part.view(n, t, self.heads, -1).transpose(1, 2) for part in parts)
        scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
        later = torch.ones(t, t).triu(1).bool()
        seen = scores.masked_fill(later, float('-inf')).softmax(-1) @ v
        h = x + self.attn.c_proj(seen.transpose(1, 2).reshape(x.shape))
        return h + self.mlp.c_proj(F.gelu(self.mlp.c_fc(self.ln_2(h)), approximate='tanh'))


class GPT(nn.Module):
    def __init__(self, vocabulary, context, width, heads, layers):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.h = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)

    def forward(self, x):
        h = self.wte(x) + self.wpe.weight
        for layer in self.h:
            h = layer(h)
        return (self.ln_f(h) @ self.wte.weight.T).transpose(1, 2)


class LSTM(nn.Module):
    def __init__(self, features, width, layers, classes, tokens=None):
        super().__init__()
        if tokens:
            self.tokens = nn.Embedding(tokens, width)
        self.lstm = nn.LSTM(features, width, layers, batch_first=True)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        if hasattr(self, 'tokens'):
            return self.head(self.lstm(self.tokens(x))[0]).transpose(1, 2)
        return self.head(self.lstm(x)[0][:, -1])


def mask_loss(logits, targets):
    p, t = logits.sigmoid().flatten(1), targets.flatten(1)
    dice = 1 - (2 * (p * t).sum(1) + 1) / ((p + t).sum(1) + 1)
    return F.binary_cross_entropy_with_logits(logits, targets) + dice.mean()


# name: model, shape of a sample, shape of a target, classes (0: masks), are the samples tokens?
MODELS = {
    'resnet18': (ResNet(False, [2, 2, 2, 2], 4), [3, 8, 8]),
    'resnet18 for ImageNet': (ResNet(False, [2, 2, 2, 2], 2, False), [3, 64, 64]),
    'resnet34': (ResNet(False, [3, 4, 6, 3], 2), [3, 8, 8]),
    'resnet50': (ResNet(True, [3, 4, 6, 3], 2), [3, 16, 16]),
    'resnet101': (ResNet(True, [3, 4, 23, 3], 2), [3, 16, 16]),
    'vgg16': (VGG(2), [3, 32, 32]),
    'vgg16 with batch norm': (VGG(2, True), [3, 32, 32]),
    'vgg16 for ImageNet': (VGG(1, False, False), [3, 64, 64]),
    'mobilenet': (MobileNet(4), [3, 16, 16]),
    'mobilenet for ImageNet': (MobileNet(8, False), [3, 64, 64]),
    'amoebanet': (AmoebaNet(3, 8), [3, 8, 8]),
    'amoebanet for ImageNet': (AmoebaNet(3, 8, False), [3, 64, 64]),
    'unet': (UNet(4, 2), [3, 8, 8], [1, 8, 8], 0),
    'gpt': (GPT(11, 6, 8, 2, 2), [6], [6], 11, True),
    'lstm': (LSTM(3, 6, 2, CLASSES), [5, 3]),
    'lstm of tokens': (LSTM(6, 6, 1, 11, 11), [6], [6], 11, True),
}


def run(dtype, model, inputs, targets=(), classes=CLASSES, tokens=False):
    model = copy.deepcopy(model).to(dtype)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            size = parameter.numel()
            values = spread(size, sum(map(ord, name)))
            if parameter.dim() > 1:
                values = values * (3 * parameter.shape[0] / size) ** 0.5
            else:
                # small scales of norms: else a deep network amplifies rounding without bound
                values = values / 4 + (0.3 if name.endswith('weight') else 0)
            parameter.copy_(values.reshape(parameter.shape))

    def wholes(shape, seed, below):
        size = torch.Size([SAMPLES, *shape]).numel()
        return ((spread(size, seed) + 1) / 2 * below).floor().reshape(SAMPLES, *shape)

    if tokens:
        x = wholes(inputs, 1, classes).long()
    else:
        x = spread(torch.Size([SAMPLES, *inputs]).numel(), 1).reshape(SAMPLES, *inputs)
    t = wholes(targets, 2, classes or 2)
    if tokens:
        t.view(-1)[3::8] = -100
    x, t = (x if tokens else x.to(dtype)), t.to(dtype)
    loss = F.cross_entropy(model(x), t.long()) if classes else mask_loss(model(x), t)
    loss.backward()
    gradients = {}
    for name, parameter in model.named_parameters():
        g = parameter.grad.flatten().double()
        gradients[name] = [float(f'{value.item():.11g}') for value in ((g * spread(g.numel(), 3)).sum(), g.norm())]
    return {'loss': loss.item(), 'gradients': gradients}


def distance(seen, wanted):
    most = max(norm for _, norm in wanted['gradients'].values())
    errors = [abs(seen['loss'] - wanted['loss']) / abs(wanted['loss'])]
    for name, numbers in wanted['gradients'].items():
        scale = max(numbers[1], most / 1000)
        errors += [abs(a - b) / scale for a, b in zip(seen['gradients'][name], numbers)]
    return max(errors)


def record(*case):
    wanted = run(torch.float64, *case)
    return {'float32': float(f"{distance(run(torch.float32, *case), wanted):.2g}"), **wanted}


print('{\n' + ',\n'.join(f'{json.dumps(name)}: {json.dumps(record(*case))}' for name, case in MODELS.items()) + '\n}')
