/**
 * `train.py`: a script that trains an exported model on, in one process or in several under torchrun, with the optimizer,
 * the learning rate and the average of langevin. Its file is a file of langevin: the average, Adam's moments and the
 * counters are in it. The random numbers are torch's, so the bits differ from those of langevin.
 */

import { pythonFile } from './python.ts';
import type { LossSource } from './train-loss.ts';

/** The settings of a run that train.py has as constants. */
export interface TorchTraining {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly seed: string | number;
  readonly betas: readonly [number, number];
  /** The largest norm of the gradient; 0 for no clipping. */
  readonly clip: number;
  /** The decay of the average; undefined without one. */
  readonly ema: number | undefined;
  /** Python that computes the learning rate of a step. */
  readonly rate: string;
  /** The command that resumes the run. */
  readonly command: string;
  /** Whether the network takes pictures with their channels last. */
  readonly channelsLast: boolean;
  readonly loss: LossSource;
}

/** Half a cosine from 1 to `end`, in Python. */
const wave = (end: number) => {
  const cosine = '(1 + math.cos(math.pi * share)) / 2';
  return end === 0 ? cosine : `(${end} + ${1 - end} * ${cosine})`;
};

/** The learning rates of the recipes, in Python. */
export const RATES = {
  constant: 'return LR',
  cosine: 'return LR * (1 + math.cos(math.pi * min(1, step / steps))) / 2',
  warmCosine: (finalLr: number) => `warmup = max(1, min(500, steps // 20))
    if step < warmup:
        return LR * step / warmup
    share = min(1, (step - warmup) / max(1, steps - warmup))
    return LR * ${wave(finalLr)}`,
} as const;

const FILES = `
def read_data(folder):
    """The pictures and the labels of the folder, as bytes. Pictures are @order@."""
    pictures = torch.from_numpy(numpy.load(os.path.join(folder, "pictures.npy")))
    labels = torch.from_numpy(numpy.load(os.path.join(folder, "labels.npy")).astype(numpy.int64))
    if pictures.dim() == 3:
        pictures = pictures.unsqueeze(3)
    return pictures@permuted@, labels


def write_safetensors(path, tensors, texts):
    """Writes a safetensors file. It is complete or unchanged."""
    names = {torch.float64: "F64", torch.float32: "F32"}
    header, parts, end = {"__metadata__": texts}, [], 0
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        part = tensor.detach().cpu().contiguous().numpy().tobytes()
        offsets = [end, end + len(part)]
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        parts.append(part)
        end += len(part)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
    os.replace(path + ".part", path)
`;

const files = (channelsLast: boolean) =>
  FILES.replace(
    '@order@',
    channelsLast ? '[n, height, width, channels]' : '[n, channels, height, width]',
  ).replace('@permuted@', channelsLast ? '' : '.permute(0, 3, 1, 2).contiguous()');

const RUN = `
class Run:
    """The network, Adam, the average and the counters of a run, from a file of langevin or of this script."""

    def __init__(self, path, device):
        tensors, self.texts = read_safetensors(path)
        self.progress = json.loads(self.texts.get("training", "{}"))
        self.step = self.progress.get("step", 0)
        self.updates = self.progress.get("emaUpdates", 0)
        self.kept = {name: x for name, x in tensors.items() if name.startswith("training.history.")}
        self.network = Network().to(device)
        self.adam = torch.optim.Adam(self.network.parameters(), lr=LR, betas=BETAS)
        self.average = {}
        adam_steps = float(max(self.progress.get("adamSteps", [0])))
        for name, p in self.network.named_parameters():
            own = tensors.get("training.parameter." + name, tensors[name])
            p.data.copy_(own)
            self.average[name] = tensors[name].float().to(device)
            if "training.m." + name in tensors:
                m, v = (tensors[f"training.{key}.{name}"].float().to(device) for key in "mv")
                self.adam.state[p] = {"step": torch.tensor(adam_steps), "exp_avg": m, "exp_avg_sq": v}

    def update(self, lr):
        """One step of Adam and of the average, with the gradients of the network."""
        if CLIP > 0:
            nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        for group in self.adam.param_groups:
            group["lr"] = lr
        self.adam.step()
        self.step += 1
        if EMA is not None:
            decay = min(EMA, (1 + self.updates) / (10 + self.updates))
            self.updates += 1
            for name, p in self.network.named_parameters():
                self.average[name] += (1 - decay) * (p.detach() - self.average[name])

    def save(self, path, pictures, batches, epochs, seconds):
        """Writes the run. The weights of the file are the averages, if there is an average."""
        tensors = dict(self.kept)
        for name, p in self.network.named_parameters():
            tensors[name] = p if EMA is None else self.average[name]
            if EMA is not None:
                tensors["training.parameter." + name] = p
            state = self.adam.state.get(p) or {"step": torch.tensor(0.0), "exp_avg": 0 * p, "exp_avg_sq": 0 * p}
            tensors["training.m." + name], tensors["training.v." + name] = state["exp_avg"], state["exp_avg_sq"]
        progress = {
            "streams": {},
            "data": {"name": "pictures.npy", "pictures": pictures},
            **self.progress,
            "step": self.step,
            "position": {"epoch": self.step // batches, "batch": self.step % batches},
            "emaUpdates": self.updates,
            "adamSteps": [int(state["step"])] * len(self.average),
            "seconds": self.progress.get("seconds", 0) + seconds,
            "epoch": {"loss": 0, "images": 0, "seconds": 0},
        }
        settings = {**json.loads(self.texts.get("settings", "{}")), "epochs": epochs}
        texts = {name: text for name, text in self.texts.items() if name != "digest"}
        texts.update(dtype="float32", settings=json.dumps(settings), training=json.dumps(progress))
        write_safetensors(path, tensors, texts)


def seed_of(*words):
    """A seed for torch's generators."""
    return zlib.crc32(" ".join(map(str, (SEED, *words))).encode())


def batch_of(n, epoch, batch):
    """The indices of a batch. Each epoch has a new order. The last batch is filled up from the beginning of the order."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed_of("order", epoch)))
    return order[torch.arange(batch * BATCH_SIZE, (batch + 1) * BATCH_SIZE) % n]
`;

const MAIN = `
def main():
    parser = argparse.ArgumentParser(description="Trains the model on.")
    parser.add_argument("--resume", default=WEIGHTS, help="the file to go on from")
    parser.add_argument("--data", default=HERE, help="the folder with pictures.npy and labels.npy")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="passes over the pictures, with those that are done")
    parser.add_argument("--steps", type=int, help="stop after this number of steps")
    parser.add_argument("--out", default="trained.safetensors", help="the file to write")
    options = parser.parse_args()
    world, rank = (int(os.environ.get(name, default)) for name, default in [("WORLD_SIZE", 1), ("RANK", 0)])
    if BATCH_SIZE % world > 0:
        parser.error(f"expected a number of processes that divides the batch of {BATCH_SIZE}, got {world}")
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    if world > 1:
        dist.init_process_group("nccl" if cuda else "gloo")
    pictures, labels = read_data(options.data)
    run = Run(options.resume, device)
    loss = Loss(run.network)
    model = DistributedDataParallel(loss, device_ids=[device] if cuda else None) if world > 1 else loss
    batches = -(-len(pictures) // BATCH_SIZE)
    steps = options.epochs * batches
    last = steps if options.steps is None else min(steps, run.step + options.steps)
    started, values = time.time(), []
    while run.step < last:
        epoch, batch = divmod(run.step, batches)
        rows = batch_of(len(pictures), epoch, batch)[rank::world]
        run.adam.zero_grad()
        value = model(pictures[rows].to(device), labels[rows].to(device), seed_of("noise", run.step, rank))
        if not torch.isfinite(value):
            sys.exit(f"training diverged at step {run.step}: expected a finite loss, got {value.item()}")
        value.backward()
        run.update(rate(run.step, steps))
        values.append(value.item())
        if rank == 0 and (batch + 1 == batches or run.step == last):
            print(f"epoch {epoch + 1}, step {run.step} of {steps}: loss {sum(values) / len(values):.5f}", flush=True)
            run.save(options.out, len(pictures), batches, options.epochs, time.time() - started)
            values = []
    if world > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
`;

/** The source of train.py. */
export function trainSource(training: TorchTraining): string {
  const { epochs, batchSize, lr, seed, betas, clip, ema, rate, command, channelsLast, loss } = training;
  return pythonFile(
    `
"""
Trains the model on, with the loss, the optimizer and the learning rate of langevin.

    python3 train.py --epochs 20
    torchrun --nproc_per_node 2 train.py --epochs 20     (torch 1.13 on Python 3.11: add --redirects 1 --tee 1)
    torchrun --nnodes 2 --nproc_per_node 4 --rdzv_backend c10d --rdzv_endpoint HOST:29500 train.py
    python3 train.py --resume trained.safetensors --epochs 40

A batch of BATCH_SIZE pictures is divided among all processes, which use NCCL on GPUs and gloo on processors. The folder
must have pictures.npy (bytes [n, height, width] or [n, height, width, channels]) and labels.npy. The file that it writes
is a file of langevin:

    langevin ${command} --resume trained.safetensors

The last line needs an export with --data, and the same pictures.
"""
import argparse
import json
import math
import os
import struct
import sys
import time
import zlib

import numpy
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from model import WEIGHTS, Network, read_safetensors
${loss.process === undefined ? '' : `from process import ${loss.process}\n`}
HERE = os.path.dirname(os.path.abspath(__file__))
SEED = ${JSON.stringify(String(seed))}
EPOCHS = ${epochs}
BATCH_SIZE = ${batchSize}
LR = ${lr}
BETAS = (${betas.join(', ')})
CLIP = ${clip}  # the largest norm of the gradient; 0 for no clipping
EMA = ${ema ?? 'None'}  # the decay of the average of the weights; None for no average
${loss.constants}
`,
    `
def rate(step, steps):
    """The learning rate of a step."""
    ${rate}
`,
    loss.source,
    files(channelsLast),
    RUN,
    MAIN,
  );
}
