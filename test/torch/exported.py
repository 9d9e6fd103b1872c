"""
Runs exported models for test/pytorch.test.ts:

    python3 test/torch/exported.py FOLDER...

Each folder has the files of `langevin export --to pytorch`. inputs.safetensors has tensors in PyTorch's layouts: `x` and
what the network also takes, `dy`, and `g.NAME`, a gradient for each weight. The results are written to the folder:
results.safetensors, stepped.safetensors (a run after three steps) and state.safetensors (the state dict in PyTorch).
"""
import importlib
import os
import sys

import torch

MODULES = ["model", "process", "sample", "train"]
torch.set_num_threads(1)


def load_modules(folder):
    """The modules of a folder. Those of the folder before are forgotten."""
    sys.path[0] = folder
    for name in MODULES:
        sys.modules.pop(name, None)
    has = lambda name: os.path.exists(os.path.join(folder, name + ".py"))
    return {name: importlib.import_module(name) for name in MODULES if has(name)}


def run(folder):
    modules = load_modules(folder)
    model, train = modules["model"], modules["train"]
    path = lambda name: os.path.join(folder, name + ".safetensors")
    inputs, texts = model.read_safetensors(path("inputs"))
    network = model.load()
    results = {}

    x = inputs["x"].requires_grad_()
    more = []
    if "t" in inputs:
        more = [inputs["t"], inputs["labels"].long() if "labels" in inputs else None]
    if "s" in inputs:
        more = [inputs["s"].item()]
    y = network(x, *more)
    y.backward(inputs["dy"])
    results["y"], results["dx"] = y.detach(), x.grad
    for name, p in network.named_parameters():
        results["grad." + name] = p.grad.clone()

    loss = train.Loss(network)
    if "process" in modules:
        labels = inputs["labels"].long() if "labels" in inputs else torch.full((len(x),), -1)
        value = loss.at(inputs["x0"], labels, inputs["times"], inputs["eps"])
        known = None if "labels" not in inputs else labels
        drawn = modules["sample"].draw(
            network, inputs["eps"], known, texts["sampler"], int(texts["steps"]), float(texts["guidance"]), 0.25, 9
        )
        results["drawn"] = drawn
        results["pictures"] = modules["process"].decode(drawn).float()
        results["encoded"] = modules["process"].encode(inputs["bytes"].byte())
    elif "labels" in inputs:
        value = loss.at(inputs["x"].detach(), inputs["labels"].long())
    else:
        value = loss.at(inputs["x"].detach(), inputs["eps"])
    results["loss"] = value.detach().reshape(1)
    train.write_safetensors(path("results"), results, {})
    train.write_safetensors(path("state"), network.state_dict(), {})

    stepped = train.Run(model.WEIGHTS, torch.device("cpu"))
    for step in range(3):
        for name, p in stepped.network.named_parameters():
            p.grad = inputs["g." + name].clone()
        stepped.update(train.rate(step + 1, 40))
    stepped.save(path("stepped"), 8, 4, 10, 1.5)


for folder in sys.argv[1:]:
    run(os.path.abspath(folder))
