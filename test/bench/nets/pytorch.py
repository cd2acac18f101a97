"""
The nets of this folder in PyTorch, and the bytes that a training step of each takes: run it to make pytorch.json anew.

    apt-get install python3-torch libopenblas0-pthread   # Debian's PyTorch 1.13
    /usr/bin/python3 pytorch.py [NET...]

A step is forward, backward and Adam; a first one has made gradients and Adam's state. PyTorch's profiler reports what its
CPU allocator gives out and takes back, and the peak of the running sum counts. Within a convolution the sum is not looked
at: what is there beside the results is the workspace of one implementation, and another has none. Mini-batch and targets
count, as they do in Sluice's plans.
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

HERE = Path(__file__).parent


class ConvNorm(nn.Module):
    def __init__(self, before, after, kernel, stride=1, groups=1):
        super().__init__()
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = tuple(side // 2 for side in sides)
        self.conv = nn.Conv2d(before, after, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(after)

    def forward(self, x):
        return self.norm(self.conv(x))


def projection(before, after, stride):
    return None if before == after and stride == 1 else ConvNorm(before, after, 1, stride)


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, before, width, stride):
        super().__init__()
        self.conv1 = ConvNorm(before, width, 3, stride)
        self.conv2 = ConvNorm(width, width, 3)
        self.shortcut = projection(before, width, stride)

    def forward(self, x):
        h = F.relu(self.conv1(x))
        y = self.conv2(h)
        skip = self.shortcut(x) if self.shortcut else x
        return F.relu(y + skip)


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, before, width, stride):
        super().__init__()
        self.conv1 = ConvNorm(before, width, 1)
        self.conv2 = ConvNorm(width, width, 3, stride)
        self.conv3 = ConvNorm(width, 4 * width, 1)
        self.shortcut = projection(before, 4 * width, stride)

    def forward(self, x):
        h1 = F.relu(self.conv1(x))
        h2 = F.relu(self.conv2(h1))
        y = self.conv3(h2)
        skip = self.shortcut(x) if self.shortcut else x
        return F.relu(y + skip)


class ResNet(nn.Module):
    def __init__(self, block, counts, classes, stem, pools):
        super().__init__()
        self.stem = stem
        self.pools = pools
        self.blocks = nn.ModuleList()
        before = 64
        for stage, count in enumerate(counts):
            for i in range(count):
                self.blocks.append(block(before, 64 * 2**stage, 2 if i == 0 and stage > 0 else 1))
                before = block.expansion * 64 * 2**stage
        self.head = nn.Linear(before, classes)

    def forward(self, x):
        h = F.relu(self.stem(x))
        if self.pools:
            h = F.max_pool2d(h, 3, 2, 1)
        for block in self.blocks:
            h = block(h)
        return self.head(F.avg_pool2d(h, h.shape[2:]).flatten(1))


class DoubleConv(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.conv1 = ConvNorm(before, after, 3)
        self.conv2 = ConvNorm(after, after, 3)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [32, 64, 128, 256]
        self.down = nn.ModuleList(map(DoubleConv, [3, *widths], widths))
        self.bottom = DoubleConv(256, 512)
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, 2) for width in widths)
        self.up = nn.ModuleList(DoubleConv(2 * width, width) for width in widths)
        self.head = nn.Conv2d(32, 1, 1)

    def forward(self, x):
        skips = []
        h = x
        for block in self.down:
            skip = block(h)
            skips.append(skip)
            h = F.max_pool2d(skip, 2)
        h = self.bottom(h)
        for level in reversed(range(4)):
            h = self.up[level](torch.cat([self.enlarge[level](h), skips[level]], 1))
        return self.head(h)


class ReluConvNorm(nn.Module):
    def __init__(self, before, after, kernel, stride=1):
        super().__init__()
        self.conv = ConvNorm(before, after, kernel, stride)

    def forward(self, x):
        return self.conv(F.relu(x))


def stack(channels, stride, kernels):
    narrow = channels // 4
    ends = [channels, *[narrow] * (len(kernels) - 1), channels]
    strides = [1, stride, *[1] * (len(kernels) - 2)]
    return nn.Sequential(*map(ReluConvNorm, ends, ends[1:], kernels, strides))


def none(channels, stride):
    return nn.Identity()


def max_pool2(channels, stride):
    return nn.MaxPool2d(2, stride)


def max_pool3(channels, stride):
    return nn.MaxPool2d(3, stride, 1)


def average_pool3(channels, stride):
    return nn.AvgPool2d(3, stride, 1, count_include_pad=False)


def conv1(channels, stride):
    return ReluConvNorm(channels, channels, 1, stride)


def conv3(channels, stride):
    return stack(channels, stride, [1, 3, 1])


def conv7(channels, stride):
    return stack(channels, stride, [1, (1, 7), (7, 1), 1])


NORMAL = (
    [
        (1, conv1, 1, max_pool3),
        (1, none, 0, conv7),
        (0, conv1, 0, conv7),
        (2, max_pool3, 2, none),
        (1, average_pool3, 5, conv1),
    ],
    [0, 3, 4, 6],
)
REDUCTION = (
    [
        (0, max_pool2, 0, max_pool3),
        (2, none, 1, conv3),
        (2, conv7, 2, max_pool3),
        (3, none, 1, max_pool2),
        (2, average_pool3, 3, conv1),
    ],
    [4, 5, 6],
)


class Cell(nn.Module):
    def __init__(self, table, last, before, channels):
        super().__init__()
        self.rows, self.joined = table
        halves = table is REDUCTION
        self.result = (len(self.joined) * channels, last[1] // 2 if halves else last[1])
        self.first = ReluConvNorm(last[0], channels, 1)
        self.second = ReluConvNorm(before[0], channels, 1, before[1] // last[1])
        self.operations = nn.ModuleList()
        for i, left, j, right in self.rows:
            self.operations.append(left(channels, 2 if halves and i < 2 else 1))
            self.operations.append(right(channels, 2 if halves and j < 2 else 1))

    def forward(self, last, before):
        states = [self.first(last), self.second(before)]
        for row, (i, _, j, _) in enumerate(self.rows):
            left, right = self.operations[2 * row], self.operations[2 * row + 1]
            states.append(left(states[i]) + right(states[j]))
        return torch.cat([states[state] for state in self.joined], 1)


class AmoebaNet(nn.Module):
    def __init__(self, side, width, classes):
        super().__init__()
        self.stem = ConvNorm(3, width, 3)
        self.cells = nn.ModuleList()
        last = before = (width, side)
        for table in [NORMAL, NORMAL, REDUCTION, NORMAL, NORMAL, REDUCTION, NORMAL, NORMAL]:
            width *= 2 if table is REDUCTION else 1
            self.cells.append(Cell(table, last, before, width))
            last, before = self.cells[-1].result, last
        self.head = nn.Linear(last[0], classes)

    def forward(self, x):
        last = before = self.stem(x)
        for cell in self.cells:
            last, before = cell(last, before), last
        return self.head(F.avg_pool2d(F.relu(last), last.shape[2:]).flatten(1))


class InvertedResidual(nn.Module):
    def __init__(self, before, after, expansion, stride):
        super().__init__()
        width = expansion * before
        self.expand = None if expansion == 1 else ConvNorm(before, width, 1)
        self.depthwise = ConvNorm(width, width, 3, stride, groups=width)
        self.project = ConvNorm(width, after, 1)
        self.skips = before == after and stride == 1

    def forward(self, x):
        wide = F.relu6(self.expand(x)) if self.expand else x
        y = self.project(F.relu6(self.depthwise(wide)))
        return x + y if self.skips else y


class MobileNetV2(nn.Module):
    STAGES = [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]

    def __init__(self, classes):
        super().__init__()
        self.stem = ConvNorm(3, 32, 3)
        self.blocks = nn.ModuleList()
        before = 32
        for expansion, after, count, stride in self.STAGES:
            for i in range(count):
                self.blocks.append(InvertedResidual(before, after, expansion, stride if i == 0 else 1))
                before = after
        self.last = ConvNorm(before, 1280, 1)
        self.head = nn.Linear(1280, classes)

    def forward(self, x):
        h = F.relu6(self.stem(x))
        for block in self.blocks:
            h = block(h)
        h = F.relu6(self.last(h))
        return self.head(F.avg_pool2d(h, h.shape[2:]).flatten(1))


class Attention(nn.Module):
    """Written out: scaled_dot_product_attention came with PyTorch 2, and on the CPU did the same."""

    def __init__(self, width, heads, context):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.register_buffer("later", torch.ones(context, context).triu(1).bool())

    def by_head(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, x):
        q, k, v = self.by_head(self.query(x)), self.by_head(self.key(x)), self.by_head(self.value(x))
        scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
        seen = scores.masked_fill(self.later, float("-inf")).softmax(-1) @ v
        return self.out(seen.transpose(1, 2).reshape(x.shape))


class Block(nn.Module):
    def __init__(self, width, heads, context):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads, context)
        self.norm2 = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x):
        attended = x + self.attention(self.norm1(x))
        return attended + self.narrow(F.gelu(self.widen(self.norm2(attended))))


class GPT(nn.Module):
    def __init__(self, vocabulary=256, context=256, width=256, heads=4, layers=4):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.places = nn.Parameter(torch.zeros(context, width))
        self.blocks = nn.ModuleList(Block(width, heads, context) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, x):
        h = self.tokens(x) + self.places
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))


class VGG16(nn.Module):
    STAGES = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]]

    def __init__(self, classes):
        super().__init__()
        before = 3
        self.stages = nn.ModuleList()
        for widths in self.STAGES:
            ends = [before, *widths]
            self.stages.append(nn.ModuleList(nn.Conv2d(i, o, 3, padding=1) for i, o in zip(ends, widths)))
            before = widths[-1]
        self.fc1 = nn.Linear(512, 512)
        self.fc2 = nn.Linear(512, 512)
        self.head = nn.Linear(512, classes)

    def forward(self, x):
        h = x
        for stage in self.stages:
            for conv in stage:
                h = F.relu(conv(h))
            h = F.max_pool2d(h, 2)
        h = F.relu(self.fc1(h.flatten(1)))
        return self.head(F.relu(self.fc2(h)))


class Recurrent(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer(32, 128, batch_first=True)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


class LSTM(nn.Module):
    def __init__(self, steps, features, width, classes):
        super().__init__()
        self.steps, self.width = steps, width
        self.input = nn.Parameter(torch.randn(features, 4 * width) * features**-0.5)
        self.state = nn.Parameter(torch.randn(width, 4 * width) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(4 * width))
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        h = c = x.new_zeros(x.shape[0], self.width)
        for t in range(self.steps):
            gates = x[:, t] @ self.input + h @ self.state + self.bias
            keep, take, show, new = gates.chunk(4, 1)
            c = keep.sigmoid() * c + take.sigmoid() * new.tanh()
            h = show.sigmoid() * c.tanh()
        return self.head(h)


class LeNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        h = F.max_pool2d(F.relu(self.conv1(x)), 2)
        h = F.max_pool2d(F.relu(self.conv2(h)), 2)
        h = F.relu(self.fc1(h.flatten(1)))
        return self.fc3(F.relu(self.fc2(h)))


class VAE(nn.Module):
    def __init__(self, pixels=784, hidden=400, latent=20):
        super().__init__()
        self.encoder = nn.Linear(pixels, hidden)
        self.mean = nn.Linear(hidden, latent)
        self.log_variance = nn.Linear(hidden, latent)
        self.decoder = nn.Linear(latent, hidden)
        self.out = nn.Linear(hidden, pixels)

    def forward(self, x):
        h = F.relu(self.encoder(x))
        mu, log_variance = self.mean(h), self.log_variance(h)
        z = mu + torch.exp(log_variance * 0.5) * torch.randn_like(mu)
        return self.out(F.relu(self.decoder(z))), mu, log_variance


def vae_loss(output, x):
    logits, mu, log_variance = output
    divergence = (mu.square() + log_variance.exp() - log_variance - 1).mean() * (0.5 * mu.shape[1] / x.shape[1])
    return F.binary_cross_entropy_with_logits(logits, x) + divergence


def token_loss(logits, targets):
    return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))


def images(side, channels=3):
    return lambda n: (torch.rand(n, channels, side, side), torch.zeros(n, dtype=torch.long))


def masked_images(n):
    return torch.rand(n, 3, 256, 256), torch.zeros(n, 1, 256, 256)


def texts(n):
    return torch.zeros(n, 256, dtype=torch.long), torch.zeros(n, 256, dtype=torch.long)


def sequences(n):
    return torch.rand(n, 20, 32), torch.zeros(n, dtype=torch.long)


def digits(n):
    x = torch.rand(n, 784)
    return x, x


RESNET18 = (BasicBlock, [2, 2, 2, 2], 10, ConvNorm(3, 64, 3), False)
RESNET50 = (Bottleneck, [3, 4, 6, 3], 1000, ConvNorm(3, 64, 7, 2), True)
BCE = F.binary_cross_entropy_with_logits

# name: model, batch, loss, the two mini-batches between which the slope is taken: large enough that a step's peak is in
# its activations, and not in Adam's temporary tensors
NETS = {
    "resnet18": (lambda: ResNet(*RESNET18), images(32), F.cross_entropy, (16, 32)),
    "resnet50": (lambda: ResNet(*RESNET50), images(224), F.cross_entropy, (4, 8)),
    "unet": (UNet, masked_images, BCE, (2, 4)),
    "amoebanet": (lambda: AmoebaNet(32, 32, 10), images(32), F.cross_entropy, (16, 32)),
    "mobilenet": (lambda: MobileNetV2(10), images(32), F.cross_entropy, (16, 32)),
    "gpt": (GPT, texts, token_loss, (4, 8)),
    "vgg16": (lambda: VGG16(10), images(32), F.cross_entropy, (64, 128)),
    "lstm": (lambda: LSTM(20, 32, 128, 10), sequences, F.cross_entropy, (64, 128)),
    "lstmLayer": (lambda: Recurrent(nn.LSTM), sequences, F.cross_entropy, (64, 128)),
    "gruLayer": (lambda: Recurrent(nn.GRU), sequences, F.cross_entropy, (64, 128)),
    "lenet": (lambda: LeNet(10), images(28, 1), F.cross_entropy, (128, 256)),
    "vae": (VAE, digits, vae_loss, (512, 1024)),
}


def peak_bytes(make_model, make_batch, loss_of, size):
    """The peak of what a step allocates, above what stands between steps."""
    model = make_model()
    optimizer = torch.optim.Adam(model.parameters())

    def step():
        x, targets = make_batch(size)
        optimizer.zero_grad()
        loss_of(model(x), targets).backward()
        optimizer.step()

    step()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step()
    return peak_of(profiler)


def peak_of(profiler):
    events = profiler.profiler.kineto_results.events()
    convolutions = [
        (event.start_us(), event.start_us() + event.duration_us())
        for event in events
        if event.name().startswith("aten::convolution")
    ]
    held = peak = 0
    for event in events:
        if event.name() != "[memory]":
            continue
        inside = any(begin <= event.start_us() < end for begin, end in convolutions)
        before, held = held, held + event.nbytes()
        if not inside:
            peak = max(peak, before, held)
    return peak


def main():
    path = HERE / "pytorch.json"
    recorded = json.loads(path.read_text())
    recorded["version"] = torch.__version__
    for name in sys.argv[1:] or NETS:
        *net, sizes = NETS[name]
        recorded["peakBytes"][name] = {str(size): peak_bytes(*net, size) for size in sizes}
        print(name, recorded["peakBytes"][name], flush=True)
    path.write_text(json.dumps(recorded, indent=2) + "\n")


if __name__ == "__main__":
    main()
