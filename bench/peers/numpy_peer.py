"""NumPy: products and normals, float32. Threads are its BLAS's: OPENBLAS_NUM_THREADS and the like."""

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


serve(
    f"NumPy {np.__version__}, {blas()}",
    {"gemm NN": gemm("NN"), "gemm NT": gemm("NT"), "gemm TN": gemm("TN"), "gaussian": randn},
)
