"""
Runs exported models for test/pytorch.test.ts:

    python3 test/torch/exported.py FOLDER...

Each folder has the files of `langevin export --to pytorch`. inputs.safetensors has tensors in PyTorch's layouts: `x` and
what the network also takes, `dy`, and `g.NAME`, a gradient for each weight. The results are written to the folder:
results.safetensors, state.safetensors (the state dict in PyTorch), and, if there is a train.py, stepped.safetensors (a
run after three steps) and trained.safetensors (two steps of the script). The script sample.py is run too.
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


def call(module, *words):
    """Runs a script in its folder."""
    sys.argv[1:] = words
    os.chdir(os.path.dirname(module.__file__))
    module.main()


def run(folder, write):
    modules = load_modules(folder)
    model, sample, train = modules["model"], modules["sample"], modules.get("train")
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

    loss = train.Loss(network).at if train else lambda *_: torch.zeros(1)
    if "process" in modules:
        labels = inputs["labels"].long() if "labels" in inputs else torch.full((len(x),), -1)
        value = loss(inputs["x0"], labels, inputs["times"], inputs["eps"])
        known = None if "labels" not in inputs else labels
        drawn = sample.draw(
            network, inputs["eps"], known, texts["sampler"], int(texts["steps"]), float(texts["guidance"]), 0.25, 9
        )
        results["drawn"] = drawn
        results["pictures"] = modules["process"].decode(drawn).float()
        results["encoded"] = modules["process"].encode(inputs["bytes"].byte())
    elif "labels" in inputs:
        value = loss(inputs["x"].detach(), inputs["labels"].long())
    else:
        value = loss(inputs["x"].detach(), inputs["eps"])
    results["loss"] = value.detach().reshape(1)
    write(path("results"), results, {})
    write(path("state"), network.state_dict(), {})

    if "process" in modules:
        call(sample, "--count", "4")
    else:
        os.chdir(folder)
        sample.main(*(["pictures.npy"] if hasattr(sample, "read_pictures") else []))
    if not train:
        return
    call(train, "--steps", "2")
    stepped = train.Run(model.WEIGHTS, torch.device("cpu"))
    for step in range(3):
        for name, p in stepped.network.named_parameters():
            p.grad = inputs["g." + name].clone()
        stepped.update(train.rate(step + 1, 40))
    stepped.save(path("stepped"), 8, 4, 10, 1.5)


def main():
    folders = [os.path.abspath(folder) for folder in sys.argv[1:]]
    write = load_modules(folders[0])["train"].write_safetensors
    for folder in folders:
        run(folder, write)


if __name__ == "__main__":
    main()
