"""PyTorch: products, normals, three training steps and paths of an SDE, float32, on OMP_NUM_THREADS threads.

The steps have the same ops as bench/step.ts, bench/lecture.ts and bench/unet.ts, in usual PyTorch code. The U-Net has
PyTorch's default layout of pictures, [batch, channels, height, width], which is faster here.
"""

import os

import torch
from torch import nn

from protocol import blas, serve

BATCH = 64
DT = 0.25

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def gemm(form):
    def make(m, k, n):
        a = torch.rand(*((k, m) if form[0] == "T" else (m, k)))
        b = torch.rand(*((n, k) if form[1] == "T" else (k, n)))
        a, b = (a.t() if form[0] == "T" else a), (b.t() if form[1] == "T" else b)
        c = torch.empty(m, n)
        return lambda: torch.mm(a, b, out=c)

    return make


def randn(n):
    out = torch.empty(n)
    return lambda: out.normal_()


def denoiser_step(*_):
    model = nn.Sequential(
        *(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU()),
        *(nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid()),
    )
    adam = torch.optim.Adam(model.parameters())
    clean = torch.rand(BATCH, 784)

    def step():
        adam.zero_grad()
        loss = nn.functional.mse_loss(model(clean + torch.randn_like(clean) * 0.5), clean)
        loss.backward()
        adam.step()

    return step


def lecture_step(*_):
    model = nn.Sequential(nn.Linear(785, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 784))
    adam = torch.optim.Adam(model.parameters())
    data = torch.rand(BATCH, 784)

    def noise():
        return torch.randn_like(data) * DT**0.5

    def step():
        noisy = data
        for _ in range(4):
            noisy = noisy + noise()
        loss = 0
        for t in (0.75, 0.5, 0.25, 0):
            denoised = noisy - noise()
            predicted = model(torch.cat([denoised, torch.full((BATCH, 1), t)], 1))
            loss = loss + nn.functional.mse_loss(predicted, (data - denoised) / DT)
        adam.zero_grad()
        loss.backward()
        adam.step()

    return step


class Block(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.first_norm = nn.GroupNorm(8, after)
        self.time = nn.Linear(64, after)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.second_norm = nn.GroupNorm(8, after)
        self.skip = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, x, embedding):
        inner = nn.functional.silu(self.first_norm(self.first(x))) + self.time(embedding)[:, :, None, None]
        return nn.functional.silu(self.second_norm(self.second(inner))) + self.skip(x)


class ComparisonUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(32, 64), nn.SiLU(), nn.Linear(64, 64))
        self.stem = nn.Conv2d(1, 32, 3, padding=1)
        self.fine = Block(32, 32)
        self.down = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.coarse = Block(64, 64)
        self.up = nn.Conv2d(64, 32, 3, padding=1)
        self.merge = Block(64, 32)
        self.last = nn.Conv2d(32, 1, 3, padding=1)

    def forward(self, x, times):
        angles = times[:, None] * 10_000 ** (-torch.arange(16) / 16)
        embedding = self.time(torch.cat([angles.cos(), angles.sin()], 1))
        skip = self.fine(self.stem(x), embedding)
        coarse = self.coarse(self.down(skip), embedding)
        back = self.up(nn.functional.interpolate(coarse, scale_factor=2))
        return self.last(self.merge(torch.cat([skip, back], 1), embedding))


def unet_step(*_):
    model = ComparisonUNet()
    adam = torch.optim.Adam(model.parameters())
    clean = torch.rand(BATCH, 1, 28, 28)
    times = torch.arange(BATCH) * 1000 // BATCH

    def step():
        adam.zero_grad()
        noise = torch.randn_like(clean)
        loss = nn.functional.mse_loss(model(clean + noise * 0.5, times), noise)
        loss.backward()
        adam.step()

    return step


def drift_paths(paths, steps):
    states = torch.empty(steps + 1, paths)
    dt = 10 / steps

    def run():
        states[0] = 10
        for k in range(steps):
            states[k + 1] = states[k] + 0.1 * states[k] * dt + torch.randn(paths) * dt**0.5

    return run


policy = ", OMP passive" if os.environ.get("OMP_WAIT_POLICY") == "PASSIVE" else ""
serve(
    f"PyTorch {torch.__version__}, {blas()}{policy}",
    {
        "gemm NN": gemm("NN"),
        "gemm NT": gemm("NT"),
        "gemm TN": gemm("TN"),
        "gaussian": randn,
        "denoiser step": denoiser_step,
        "lecture step": lecture_step,
        "comparison unet step": unet_step,
        "drift fused": drift_paths,
    },
)
