"""PyTorch: products, normals, the two training steps and paths of an SDE, float32, on as many threads as OMP_NUM_THREADS says.

The steps are the programs of bench/step.ts and bench/lecture.ts, op for op, with `nn.Sequential` and
`optim.Adam` as a person writes them.
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
        "drift fused": drift_paths,
    },
)
