"""
State dicts of PyTorch as safetensors files, each with an input and the output that PyTorch gives for it:

    python3 test/weights/make.py

The format is written out here, so that what reads it is compared with something else than itself.
"""
import json, math, pathlib, struct
import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
NAMES = {torch.float64: 'F64', torch.float32: 'F32', torch.float16: 'F16', torch.bfloat16: 'BF16', torch.int64: 'I64',
         torch.int32: 'I32', torch.int16: 'I16', torch.int8: 'I8', torch.uint8: 'U8', torch.bool: 'BOOL'}


def save(tensors, name):
    header, chunks, at = {'__metadata__': {'format': 'pt'}}, [], 0
    for key, tensor in tensors.items():
        tensor = tensor.contiguous()
        # numpy knows no bfloat16
        raw = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
        data = raw.numpy().tobytes()
        header[key] = {'dtype': NAMES[tensor.dtype], 'shape': list(tensor.shape), 'data_offsets': [at, at + len(data)]}
        chunks.append(data)
        at += len(data)
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    (HERE / f'{name}.safetensors').write_bytes(struct.pack('<Q', len(text)) + text + b''.join(chunks))


def record(model, inputs, name):
    model.eval()
    with torch.no_grad():
        outputs = model(inputs)
    save(model.state_dict(), name)
    io = {side: {'shape': list(t.shape), 'data': t.flatten().tolist()} for side, t in [('inputs', inputs), ('outputs', outputs)]}
    (HERE / f'{name}.json').write_text(json.dumps(io) + '\n')


class BasicBlock(nn.Module):
    def __init__(self, inside, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride > 1 or inside != width:
            self.downsample = nn.Sequential(nn.Conv2d(inside, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    """torchvision's resnet18, with `width` channels in place of 64."""

    def __init__(self, width, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        for i, (inside, outside) in enumerate([(1, 1), (1, 2), (2, 4), (4, 8)]):
            blocks = [BasicBlock(inside * width, outside * width, 1 if i == 0 else 2), BasicBlock(outside * width, outside * width, 1)]
            setattr(self, f'layer{i + 1}', nn.Sequential(*blocks))
        self.fc = nn.Linear(8 * width, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1 = nn.LayerNorm(width)
        self.attn = nn.ModuleDict({'c_attn': nn.Linear(width, 3 * width), 'c_proj': nn.Linear(width, width)})
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({'c_fc': nn.Linear(width, 4 * width), 'c_proj': nn.Linear(4 * width, width)})

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = (y.view(n, t, self.heads, -1).transpose(1, 2) for y in self.attn.c_attn(self.ln_1(x)).split(c, 2))
        seen = (q @ k.transpose(-2, -1) / math.sqrt(c / self.heads)).masked_fill(torch.ones(t, t).triu(1).bool(), -math.inf)
        x = x + self.attn.c_proj((seen.softmax(-1) @ v).transpose(1, 2).reshape(n, t, c))
        return x + self.mlp.c_proj(F.gelu(self.mlp.c_fc(self.ln_2(x))))


class GPT(nn.Module):
    """nanoGPT: the head and the table of tokens are one parameter under two names."""

    def __init__(self, vocabulary, context, width, heads, layers):
        super().__init__()
        self.transformer = nn.ModuleDict({
            'wte': nn.Embedding(vocabulary, width), 'wpe': nn.Embedding(context, width),
            'h': nn.ModuleList([Block(width, heads) for _ in range(layers)]), 'ln_f': nn.LayerNorm(width)})
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def forward(self, tokens):
        x = self.transformer.wte(tokens) + self.transformer.wpe(torch.arange(tokens.shape[1]))
        for block in self.transformer.h:
            x = block(x)
        return self.lm_head(self.transformer.ln_f(x))


torch.manual_seed(1)
resnet = ResNet18(width=2, classes=5)
for _ in range(3):  # so that the running statistics are those of images
    resnet(torch.randn(8, 3, 64, 64))
record(resnet, (torch.randn(2, 3, 32, 32) * 16).round() / 16, 'resnet18')
record(GPT(vocabulary=24, context=12, width=16, heads=2, layers=2), torch.randint(24, (3, 9)), 'gpt')

values = {'F64': [1 / 3, -1e300, 5e-324], 'F32': [1 / 3, -3e38, 1e-45],
          'F16': [1 / 3, -65504, 6e-8, 6.1e-5, math.inf, -0.0], 'BF16': [1 / 3, -3e38, 1e-40, math.inf],
          'I64': [2 ** 53 + 1, -2 ** 63], 'I32': [-2 ** 31], 'I16': [-2 ** 15], 'I8': [-128], 'U8': [255], 'BOOL': [1, 0]}
kinds = {name: kind for kind, name in NAMES.items()}
odd = {'odd bytes': torch.tensor([1, 2, 3], dtype=torch.uint8)}
types = {**odd, **{name: torch.tensor(list_, dtype=kinds[name]) for name, list_ in values.items()},
         'empty': torch.zeros(0, 3), 'scalar': torch.tensor(2.5), 'Größe ☃ "\\': torch.ones(1, 2)}
save(types, 'types')
texts = {name: {'shape': list(t.shape), 'data': [str(v) for v in (t.flatten().double() if t.is_floating_point() else t.flatten()).tolist()]}
         for name, t in types.items()}
(HERE / 'types.json').write_text(json.dumps(texts) + '\n')
