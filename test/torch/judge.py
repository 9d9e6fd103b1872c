"""
A judge of samples that is not ours: a small CNN in PyTorch. It answers two questions.

- Which digit is a sample? The CNN learns from MNIST's training digits. We count how often its answer is the label.
- Is a picture a sample? A new CNN learns to tell samples from as many real training digits with the same labels. It
  learns from 70 % of the pictures. 10 % choose its best epoch, and 20 % give the accuracy. An accuracy of 0.5 is chance.

    python3 test/torch/judge.py FILE.npy --mnist FOLDER [--epochs 20] [--seed 0] [--limit N]

FILE.npy has pictures as uint8 [N, 28, 28], and FILE.labels.npy has their labels, as `langevin sample --save` writes them.
FOLDER has the four files of MNIST, uncompressed or as .gz. The interval is Wilson's, of 95 %.

The network is that of PyTorch's MNIST example: 3x3 of 32 and 64 channels, max pooling, dropout, and two linear layers.
Left out on purpose: augmentation, and a search for the best network.
"""
import argparse
import gzip
import math
import os

import numpy as np
import torch
from torch import nn

BATCH = 64


def read_idx(folder, name):
    """The array of an IDX file of bytes."""
    path = os.path.join(folder, name)
    opened = open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz", "rb")
    with opened as file:
        data = file.read()
    dimensions = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def cnn(outputs):
    """The network of PyTorch's MNIST example."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(),
        nn.Conv2d(32, 64, 3), nn.ReLU(),
        nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten(),
        nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(128, outputs),
    )  # fmt: skip


def tensors(pictures, targets):
    x = torch.from_numpy(pictures.astype(np.float32) / 255 - 0.5).unsqueeze(1)
    return x, torch.from_numpy(targets.astype(np.int64))


def train_epoch(model, optimizer, x, y):
    model.train()
    order = torch.randperm(len(x))
    for start in range(0, len(x), BATCH):
        rows = order[start : start + BATCH]
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()


@torch.no_grad()
def accuracy(model, x, y):
    model.eval()
    right = sum(
        (model(x[i : i + 500]).argmax(1) == y[i : i + 500]).sum().item() for i in range(0, len(x), 500)
    )
    return right / len(x)


def wilson(p, n, z=1.96):
    """Wilson's interval of a share p of n."""
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def matched(labels, real_labels, rng):
    """For each label the position of another real digit with that label, drawn without replacement."""
    pools = {label: list(rng.permutation(np.flatnonzero(real_labels == label))) for label in np.unique(labels)}
    return np.array([pools[label].pop() for label in labels])


def name_digits(real, samples, epochs):
    x, y = tensors(*real)
    model = cnn(10)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(epochs):
        train_epoch(model, optimizer, x, y)
    return model, accuracy(model, *tensors(*samples))


def two_samples(samples, real, epochs, rng):
    """The accuracy of a new CNN on the 20 % of the pictures that it has not seen, and their number."""
    pictures, labels = samples
    others = real[0][matched(labels, real[1], rng)]
    order = rng.permutation(len(pictures))
    train, choose = int(0.7 * len(order)), int(0.8 * len(order))
    parts = []
    for rows in (order[:train], order[train:choose], order[choose:]):
        both = np.concatenate([pictures[rows], others[rows]])
        parts.append(tensors(both, np.repeat([1, 0], len(rows))))
    model = cnn(2)
    optimizer = torch.optim.Adam(model.parameters(), 5e-4)
    best, found = -1.0, 0.0
    for _ in range(epochs):
        train_epoch(model, optimizer, *parts[0])
        chosen = accuracy(model, *parts[1])
        if chosen > best:
            best, found = chosen, accuracy(model, *parts[2])
    return found, len(parts[2][0])


def main():
    parser = argparse.ArgumentParser(description="Judges samples by a CNN in PyTorch.")
    parser.add_argument("samples")
    parser.add_argument("--mnist", required=True, help="the folder with the files of MNIST")
    parser.add_argument("--epochs", type=int, default=20, help="of the two-sample test")
    parser.add_argument("--digit-epochs", type=int, default=4, help="of the classifier of digits; 0: none")
    parser.add_argument("--limit", type=int, help="the first N samples")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    samples = (np.load(args.samples)[: args.limit], np.load(args.samples[:-4] + ".labels.npy")[: args.limit])
    real = (read_idx(args.mnist, "train-images-idx3-ubyte"), read_idx(args.mnist, "train-labels-idx1-ubyte"))
    test = (read_idx(args.mnist, "t10k-images-idx3-ubyte"), read_idx(args.mnist, "t10k-labels-idx1-ubyte"))
    if args.digit_epochs > 0:
        model, named = name_digits(real, samples, args.digit_epochs)
        print(f"named as the label: {named:.1%} of the samples, {accuracy(model, *tensors(*test)):.1%} of the test digits")
    found, count = two_samples(samples, real, args.epochs, rng)
    low, high = wilson(found, count)
    print(f"two-sample test: {found:.3f} ({low:.3f} to {high:.3f}) of {count} pictures")


if __name__ == "__main__":
    main()
