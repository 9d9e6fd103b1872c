"""PyTorch's side of the comparison: `python3 expressions.py FOLDER`.

Reads FOLDER/cases.jsonl, one case a line, and FOLDER/inputs.f32, the numbers of all inputs one after the other. Computes
each case in float64 from these float32 numbers. Writes FOLDER/results.jsonl, one result a line, and FOLDER/results.f64.

The functions above `main` are what the lambdas of rows/*.ts may use beside torch, F and nn: what PyTorch 1.13 has no one
name for.
"""

import json
import sys
from functools import partial  # noqa: F401, for the rows

import numpy
import torch
import torch.nn.functional as F
from torch import nn  # noqa: F401, for the rows
from torch.optim import lr_scheduler as schedule  # noqa: F401, for the rows
from torch.nn.utils.stateless import functional_call


def reduce(f, x, axes, keep_dims):
    """f over the axes, or over all of them for None."""
    dims = range(x.dim()) if axes is None else axes
    return f(x, dim=tuple(dims), keepdim=keep_dims)


def norm(x, p, axes, keep_dims):
    """The p-norm of vectors over the axes, or over all of them for None."""
    return reduce(lambda x, **of: torch.linalg.vector_norm(x, p, **of), x, axes, keep_dims)


def prod(x, dim, keepdim):
    """torch.prod over several axes."""
    for axis in sorted((d % x.dim() for d in dim), reverse=True):
        x = x.prod(dim=axis, keepdim=keepdim)
    return x


def box(x, begin, size):
    """The part of x of that size that begins there."""
    return x[tuple(slice(b, b + n) for b, n in zip(begin, size))]


def cross_entropy(x, target, weight, labelSmoothing, reduction):
    """F.cross_entropy with the classes along the last axis of x."""
    weight = None if weight is None else torch.tensor(weight, dtype=torch.float64)
    x = x.movedim(-1, min(1, x.dim() - 1))
    return F.cross_entropy(x, target, weight, label_smoothing=labelSmoothing, reduction=reduction)


def rms_norm(x, shape, eps):
    """What torch.nn.RMSNorm of later versions computes."""
    axes = tuple(range(-len(shape), 0))
    return x / (x.square().mean(axes, keepdim=True) + eps).sqrt()


def call(module, x, **parameters):
    """A module with the given tensors as its parameters, at x."""
    return functional_call(module.double(), parameters, (x,))


def attend(module, query, key, value, parameters, **options):
    """What attention with the given tensors as its parameters makes of query, key and value."""
    return functional_call(module.double(), parameters, (query, key, value), {'need_weights': False, **options})[0]


def apart(x, heads):
    """[batch, tokens, heads·channels] as [batch, heads, tokens, channels]."""
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def together(x):
    """The way back."""
    return x.transpose(-3, -2).flatten(-2)


def optimise(kind, p, gradients, **options):
    """The parameter after a step with each of the gradients."""
    p = p.clone()
    optimizer = kind([p], **options)
    for g in gradients:
        p.grad = g
        optimizer.step()
    return p


def clipped(gradients, clip):
    """What clip returns, and the gradients of parameters after it."""
    parameters = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for p, g in zip(parameters, gradients):
        p.grad = g.clone()
    return [*(clip(parameters) or []), *(p.grad for p in parameters)]


def train_mlp(x, target, parameters, steps):
    """The parameters of Linear, Tanh, Linear after steps of SGD."""
    (hidden, inner), out = parameters[0].shape, parameters[2].shape[0]
    model = nn.Sequential(nn.Linear(inner, hidden), nn.Tanh(), nn.Linear(hidden, out)).double()
    model.load_state_dict(dict(zip(model.state_dict(), parameters)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.5)
    for _ in range(steps):
        optimizer.zero_grad()
        F.mse_loss(model(x), target).backward()
        optimizer.step()
    return [p.detach() for p in model.parameters()]


def rates(make, lr, count):
    """The learning rates of the first steps."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr)
    scheduler = make(optimizer)
    found = []
    for _ in range(count):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return torch.tensor(found, dtype=torch.float64)


# The functions of rows/graphs.ts.
STEPS = {
    "add": lambda a, b: (a + b) * 0.5,
    "mul": lambda a, b: a * b,
    "tanh": lambda a, b: a.tanh(),
    "sigmoid": lambda a, b: a.sigmoid(),
    "softmax": lambda a, b: a.softmax(0),
    "matmul": lambda a, b: a @ b.T / len(a),
    "transpose": lambda a, b: a.T,
    "view": lambda a, b: (a.reshape(-1) + b.reshape(-1)).reshape(a.shape),
    "column": lambda a, b: a * b.mean(1, keepdim=True),
    "row": lambda a, b: a + b.mean(0),
    "scalar": lambda a, b: a * b.mean(),
    "halves": lambda a, b: torch.cat([a[:1], b[1:]]),
    "cumsum": lambda a, b: a.cumsum(1) / len(a),
    "same": lambda a, b: a * a + a,
}


def run_program(xs, program, results):
    """The last results of a program of steps."""
    found = list(xs)
    for name, i, j in program:
        found.append(STEPS[name](found[i], found[j]))
    return found[max(len(xs), len(found) - results) :]


def several(y):
    return list(y) if isinstance(y, (tuple, list)) else [y]


compiled = {}


def compute(case, xs):
    """The results of a case's lambda."""
    text = case["torch"]
    if text not in compiled:
        compiled[text] = eval(text)
    return several(compiled[text](*xs, **case["attributes"]))


class Numbers:
    """The arrays of a file, one after the other."""

    def __init__(self, path):
        self.values = numpy.fromfile(path, dtype=numpy.float32)
        self.at = 0

    def take(self, shape):
        n = int(numpy.prod(shape, dtype=numpy.int64))
        part = self.values[self.at : self.at + n]
        self.at += n
        return torch.tensor(part.astype(numpy.float64)).reshape(shape)


def run(case, numbers):
    """The line and the arrays that a case leaves."""
    xs = [numbers.take(x["shape"]).requires_grad_(x["grad"]) for x in case["inputs"]]
    dys = [numbers.take(shape) for shape in case["dys"]]
    try:
        ys = compute(case, xs)
        smooth = [y for y in ys if y.requires_grad]
        if smooth and [list(y.shape) for y in smooth] == case["dys"]:
            torch.autograd.backward(smooth, dys)
    except Exception as error:  # one case must not end the others
        return {"error": str(error).splitlines()[0]}, []
    line = {
        "ys": [{"shape": list(y.shape), "differentiable": y.requires_grad} for y in ys],
        "gradients": [x.grad is not None for x in xs],
    }
    return line, [*ys, *(x.grad for x in xs if x.grad is not None)]


def main(folder):
    numbers = Numbers(f"{folder}/inputs.f32")
    with open(f"{folder}/cases.jsonl") as cases, open(f"{folder}/results.jsonl", "w") as lines:
        with open(f"{folder}/results.f64", "wb") as results:
            for text in cases:
                line, arrays = run(json.loads(text), numbers)
                lines.write(json.dumps(line) + "\n")
                for array in arrays:
                    array.detach().double().contiguous().numpy().tofile(results)


if __name__ == "__main__":
    main(sys.argv[1])
