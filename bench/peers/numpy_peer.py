"""NumPy: products, normals and paths of an SDE, float32.

Its BLAS reads the number of threads from OPENBLAS_NUM_THREADS or a similar variable.
"""

import numpy as np

from protocol import blas, serve


def gemm(form):
    def make(m, k, n):
        a = np.random.rand(*((k, m) if form[0] == "T" else (m, k))).astype(np.float32)
        b = np.random.rand(*((n, k) if form[1] == "T" else (k, n))).astype(np.float32)
        a, b = (a.T if form[0] == "T" else a), (b.T if form[1] == "T" else b)
        c = np.empty((m, n), np.float32)
        return lambda: np.matmul(a, b, out=c)

    return make


def randn(n):
    rng = np.random.default_rng(1)
    out = np.empty(n, np.float32)
    return lambda: rng.standard_normal(dtype=np.float32, out=out)


def drift_paths(paths, steps):
    rng = np.random.default_rng(1)
    states = np.empty((steps + 1, paths), np.float32)
    dt = np.float32(10 / steps)
    root = np.sqrt(dt)

    def run():
        states[0] = 10
        for k in range(steps):
            z = rng.standard_normal(paths, dtype=np.float32)
            states[k + 1] = states[k] + np.float32(0.1) * states[k] * dt + z * root

    return run


serve(
    f"NumPy {np.__version__}, {blas()}",
    {
        "gemm NN": gemm("NN"),
        "gemm NT": gemm("NT"),
        "gemm TN": gemm("TN"),
        "gaussian": randn,
        "drift fused": drift_paths,
    },
)
