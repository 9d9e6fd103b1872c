"""The common code of the Python peers. A peer first prints its name. Then it answers each request with a line of JSON.

A request is one line, {"name", "shape", "budget"}: the work, its sizes, and the milliseconds to spend on it. The answer
is {"ms", "msMedian"}, milliseconds of one run, or {"skip": reason}. An example:

    echo '{"name": "gemm NN", "shape": [512, 512, 512], "budget": 500}' | python3 bench/peers/numpy_peer.py

Times are measured as in bench/harness.ts. A slice takes about a millisecond, or one run if a run takes longer. The best
slice counts. If there are more than twelve slices, the two fastest do not count.
"""

import json
import sys
import time

SLICE = 1e-3
FEW = 12


def timed(run, times=1):
    start = time.perf_counter()
    for _ in range(times):
        run()
    return time.perf_counter() - start


def measure(run, budget):
    """Best and median time of a run, in milliseconds, from about `budget` milliseconds of runs."""
    run()
    runs = max(1, round(SLICE / timed(run)))
    samples = []
    start = time.perf_counter()
    while len(samples) < 3 or time.perf_counter() - start < budget / 1000:
        samples.append(timed(run, runs) / runs * 1000)
    samples.sort()
    best = samples[2] if len(samples) > FEW else samples[0]
    return {"ms": best, "msMedian": samples[len(samples) // 2]}


def blas():
    """The name of the loaded BLAS. It determines the speed of products; the reference BLAS is slow."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        files = " ".join(line.split("/")[-1].strip() for line in maps if "/" in line).lower()
    known = {"openblas": "OpenBLAS", "mkl_rt": "MKL", "libblis": "BLIS", "atlas": "ATLAS", "libblas": "reference BLAS"}
    return next((name for file, name in known.items() if file in files), "unknown BLAS")


def serve(peer, works):
    """Answers requests until the input ends. `works` has a function from a shape to the work, for each name."""
    print(json.dumps({"peer": peer}), flush=True)
    made = {}
    for line in sys.stdin:
        request = json.loads(line)
        name, shape = request["name"], tuple(request["shape"])
        if name not in works:
            print(json.dumps({"skip": f"no {name}"}), flush=True)
            continue
        if (name, shape) not in made:
            made.clear()
            made[name, shape] = works[name](*shape)
        print(json.dumps(measure(made[name, shape], request["budget"])), flush=True)
