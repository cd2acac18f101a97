"""PyTorch with weights of a safetensors file. Arguments: FILE; prints the outputs for the input in it, as JSON.

Needs Debian's python3-torch. The package safetensors reads the file where it is installed, and 8 lines do where it is not.
"""
import json
import struct
import sys

import numpy as np
import torch
from torch import nn


def load(path):
    try:
        from safetensors.torch import load_file
        return load_file(path)
    except ImportError:
        data = open(path, 'rb').read()
    length = struct.unpack('<Q', data[:8])[0]
    header = json.loads(data[8:8 + length])
    assert header.pop('__metadata__')['format'] == 'pt'
    types = {'F32': '<f4', 'F64': '<f8'}
    body = data[8 + length:]
    return {name: torch.from_numpy(np.frombuffer(body[t['data_offsets'][0]:t['data_offsets'][1]], types[t['dtype']])
                                   .reshape(t['shape']).copy()) for name, t in header.items()}


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def normed():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))


state = load(sys.argv[1])
inputs = state.pop('inputs')
model = {'lenet': lenet, 'normed': normed}[sys.argv[2]]().eval()
model.load_state_dict({name: tensor for name, tensor in state.items() if not name.startswith('optimizer/')})
with torch.no_grad():
    print(json.dumps(model(inputs).flatten().tolist()))
