"""
The nets of this folder in PyTorch, a mini-batch in micro-batches: one line of JSON asks for a turn, one line answers.

    {"net": "lenet", "samples": 64, "size": 16} -> {"ms": 12.3}

A turn is zero_grad, forward and backward of every micro-batch with its share of the loss, and one step of Adam, on one thread.
Its time is processor time. The first line is answered by the version.
"""

import json
import sys
import time
from functools import cache
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent / "nets"))
from pytorch import NETS  # noqa: E402

torch.set_num_threads(1)
torch.manual_seed(1)


@cache
def learner(net, samples):
    make_model, make_batch, loss_of, _ = NETS[net]
    model = make_model()
    return model, torch.optim.Adam(model.parameters()), make_batch(samples), loss_of


def turn(net, samples, size):
    model, optimizer, (x, targets), loss_of = learner(net, samples)
    started = time.process_time()
    optimizer.zero_grad()
    for first in range(0, samples, size):
        part = slice(first, first + size)
        loss = loss_of(model(x[part]), targets[part])
        (loss * (len(x[part]) / samples)).backward()
    optimizer.step()
    return {"ms": 1000 * (time.process_time() - started)}


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    print(json.dumps(turn(**json.loads(line))), flush=True)
