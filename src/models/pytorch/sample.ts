/**
 * `sample.py`: a script that uses an exported model. For diffusion models it samples with Heun's method, DDIM or Euler's
 * method, with the defaults of the model. For other models it is a short example. Left out on purpose: the preparation of
 * samples (prepare.ts) and the other samplers.
 */
import type { DiffusionPipeline } from '../pipeline.ts';
import { samplingOf } from '../sampling.ts';
import { SAMPLING_DEFAULTS } from '../sampling-defaults.ts';
import { pythonFile } from './python.ts';

/** The samplers that sample.py has. */
const TORCH_SAMPLERS = ['heun', 'ddim', 'euler'] as const;

/** Writes grey or colour pictures as PNG, with the standard library. */
const PNG = `
def write_png(path, pictures, columns=10):
    """Writes pictures as one grid. They are bytes [n, channels, height, width]; one or three channels are shown."""
    n, channels, height, width = pictures.shape
    shown = 3 if channels >= 3 else 1
    rows = -(-n // columns)
    sheet = torch.zeros(rows * columns, shown, height, width, dtype=torch.uint8)
    sheet[:n] = pictures[:, :shown]
    sheet = sheet.reshape(rows, columns, shown, height, width).permute(0, 3, 1, 4, 2).reshape(rows * height, -1)
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    header = struct.pack(">IIBBBBB", columns * width, rows * height, 8, 2 if shown == 3 else 0, 0, 0, 0)
    lines = b"".join(b"\\0" + line.numpy().tobytes() for line in sheet)
    with open(path, "wb") as file:
        file.write(b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))
`;

/** The sampling of a model in sample.py: its own, or DDIM if its own sampler is not there. */
export function torchSampling(model: DiffusionPipeline) {
  const own = samplingOf(model, { seed: '0' });
  if (TORCH_SAMPLERS.some((name) => name === own.sampler)) return own;
  return samplingOf(model, { seed: '0', sampler: SAMPLING_DEFAULTS.sampler });
}

const optionsOf = (model: DiffusionPipeline) => {
  const { sampler, steps, guidance, guidanceAbove, guidanceBelow } = torchSampling(model);
  return `
    parser = argparse.ArgumentParser(description="Samples pictures from the model.")
    parser.add_argument("--weights", default=WEIGHTS)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--label", type=int, nargs="*", help="labels, in turn; default: all classes")
    parser.add_argument("--sampler", choices=sorted(STEPS), default="${sampler}")
    parser.add_argument("--steps", type=int, default=${steps})
    parser.add_argument("--guidance", type=float, default=${guidance}, help="the scale of classifier-free guidance")
    parser.add_argument("--guidance-above", type=float, default=${guidanceAbove}, help="the least sigma/alpha with guidance")
    parser.add_argument("--guidance-below", type=float, default=${guidanceBelow}, help="the largest; 0 for no limit")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="samples")`;
};

const STEPS = `
def euler_factors(a, b, c):
    """(of_x, of_x0): Euler's step in x/c. The factors of x are added here, because near pure noise they cancel."""
    step = c(b) * (b[2] / c(b) - a[2] / c(a))
    return c(b) / c(a) + step / a[2], -step * c(a) / a[2]


def euler(denoise, x, a, b, c):
    """Euler's method in x/c, with the time sigma/c. a and b are (time, alpha, sigma)."""
    of_x, of_x0 = euler_factors(a, b, c)
    return of_x * x + of_x0 * denoise(x, a)


def heun(denoise, x, a, b, c):
    """Heun's method in x/c. The last step, to sigma 0, is Euler's."""
    of_x, of_x0 = euler_factors(a, b, c)
    x0 = denoise(x, a)
    trial = of_x * x + of_x0 * x0
    if b[2] == 0:
        return trial
    half = c(b) * (b[2] / c(b) - a[2] / c(a)) / 2
    first = (c(b) / c(a) + half / a[2]) * x - half * c(a) / a[2] * x0
    return first + half / b[2] * trial - half * c(b) / b[2] * denoise(trial, b)


def ddim(denoise, x, a, b, c):
    """DDIM: the predicted data and the predicted noise, at the next level."""
    towards = b[2] / a[2]
    return towards * x + (b[1] - towards * a[1]) * denoise(x, a)


STEPS = {"heun": heun, "euler": euler, "ddim": ddim}
`;

const draw = (classes: number) => `
@torch.no_grad()
def draw(network, x, labels, sampler, steps, guidance, above, below):
    """From noise x [n, CHANNELS, HEIGHT, WIDTH] to samples. labels is [n], or None for no labels."""
    times = [torch.tensor(t, dtype=torch.float64) for t in sampling_times(steps)]
    levels = [(t, *(value.item() for value in level(t))) for t in times] + [(None, 1.0, 0.0)]
    straight = levels[0][1] < 1e-3 or all(abs(alpha + sigma - 1) < 1e-12 for _, alpha, sigma in levels)
    c = lambda at: at[1] + at[2] if straight else at[1]

    def denoise(x, at):
        t, alpha, sigma = at
        each_time = t.repeat(len(x))
        ratio = sigma / alpha if alpha > 0 else math.inf${
          classes === 0
            ? '\n        prediction = predict(network, x, each_time)'
            : `
        guided = guidance != 1 and (guidance < 1 or above <= ratio <= (below or math.inf))
        if guided and labels is not None:
            # With the labels and without them, in one batch.
            both = torch.cat([labels, torch.full_like(labels, -1)])
            conditional, unconditional = predict(network, torch.cat([x, x]), each_time.repeat(2), both).chunk(2)
            prediction = unconditional + guidance * (conditional - unconditional)
        else:
            prediction = predict(network, x, each_time, labels)`
        }
        alphas, sigmas = level(each_time)
        return to_data(x, prediction, alphas, sigmas).clamp(-1, 1)

    for a, b in zip(levels, levels[1:]):
        x = STEPS[sampler](denoise, x, a, b, c)
    return x
`;

const MAIN_LABELS = `
    wanted = options.label or list(range(CLASSES))
    labels = torch.tensor([wanted[i % len(wanted)] for i in range(options.count)])
    if not all(0 <= label < CLASSES for label in wanted):
        parser.error(f"--label: expected labels from 0 to {CLASSES - 1}, got {wanted}")`;

/** sample.py for a diffusion model. */
export function diffusionSampleSource(model: DiffusionPipeline): string {
  const { classes } = model;
  return pythonFile(
    `
"""
Samples pictures from the model, with the same process and the same defaults as langevin.

    python3 sample.py --count 20 --seed 1

It writes OUT.png with all pictures and OUT.pt with their bytes [n, CHANNELS, HEIGHT, WIDTH]. The noise is that of torch, so
the pictures differ from those of langevin. Samples are not moved or replaced, as \`langevin sample --prepare\` does.
"""
import argparse
import math
import struct
import zlib

import torch

from model import CHANNELS, ${classes > 0 ? 'CLASSES, ' : ''}HEIGHT, WEIGHTS, WIDTH, load
from process import decode, level, predict, sampling_times, to_data
`,
    STEPS,
    draw(classes),
    PNG,
    `
def main():${optionsOf(model)}
    options = parser.parse_args()${classes > 0 ? MAIN_LABELS : '\n    labels = None'}
    network = load(options.weights).eval()
    generator = torch.Generator().manual_seed(options.seed)
    noise = torch.randn(options.count, CHANNELS, HEIGHT, WIDTH, generator=generator)
    part = lambda i: None if labels is None else labels[i : i + 250]
    samples = [
        draw(
            network, noise[i : i + 250], part(i), options.sampler, options.steps,
            options.guidance, options.guidance_above, options.guidance_below,
        )
        for i in range(0, options.count, 250)
    ]  # fmt: skip
    pictures = decode(torch.cat(samples))
    write_png(options.out + ".png", pictures)
    torch.save(pictures, options.out + ".pt")
    print(f"wrote {options.out}.png and {options.out}.pt")


if __name__ == "__main__":
    main()
`,
  );
}

/** sample.py for the lecture's model: its loop from noise. */
export const lectureSampleSource = (schedule: readonly number[]): string =>
  pythonFile(
    `
"""
The loop of the lecture's model, from noise. It writes the states after each time to samples.pt, [times, n, DIMENSION].

    python3 sample.py
"""
import torch

from model import DIMENSION, load

TIMES = [${schedule.join(', ')}]
`,
    `
@torch.no_grad()
def main():
    network = load().eval()
    x = torch.randn(10, DIMENSION, generator=torch.Generator().manual_seed(0))
    states = [x]
    for t in reversed(range(len(TIMES) - 1)):
        x = x + (TIMES[t + 1] - TIMES[t]) * network(x, TIMES[t])
        states.append(x)
    torch.save(torch.stack(states), "samples.pt")
    print(f"wrote samples.pt: {len(states)} states of {len(x)} samples")


if __name__ == "__main__":
    main()
`,
  );

const readPictures = (channelsLast: boolean) => `
def read_pictures(path):
    """The pictures of a .npy file in [0, 1], ${channelsLast ? '[n, height, width, channels]' : '[n, channels, height, width]'}."""
    pictures = torch.from_numpy(numpy.load(path))
    if pictures.dim() == 3:
        pictures = pictures.unsqueeze(3)
    return pictures${channelsLast ? '' : '.permute(0, 3, 1, 2)'}.float() / 255
`;

/** sample.py for a denoiser. @param noise the standard deviation of the noise in its training */
export const denoiserSampleSource = (noise: number, channelsLast: boolean): string =>
  pythonFile(
    `
"""
Adds noise to pictures and removes it.

    python3 sample.py pictures.npy

The file has bytes [n, height, width] or [n, height, width, channels]. It writes denoised.npy.
"""
import sys

import numpy
import torch

from model import load

NOISE = ${noise}  # the standard deviation of the noise in training; pixels are from 0 to 1
`,
    readPictures(channelsLast),
    `
@torch.no_grad()
def main(path):
    network = load().eval()
    pictures = read_pictures(path)
    noisy = pictures + NOISE * torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
    denoised = network(noisy)
    print(f"mean squared error: {(noisy - pictures).square().mean():.5f} noisy, {(denoised - pictures).square().mean():.5f} denoised")
    numpy.save("denoised.npy", (denoised * 255).round().clamp(0, 255).byte()${channelsLast ? '' : '.permute(0, 2, 3, 1)'}.numpy())


if __name__ == "__main__":
    main(*sys.argv[1:2])
`,
  );

/** sample.py for a classifier. */
export const classifierSampleSource = (): string =>
  pythonFile(
    `
"""
Classifies pictures.

    python3 sample.py pictures.npy [labels.npy]

The file has bytes [n, height, width] or [n, height, width, channels]. With labels it prints the accuracy.
"""
import sys

import numpy
import torch

from model import load
`,
    readPictures(false),
    `
@torch.no_grad()
def main(path, labels=None):
    network = load().eval()
    found = torch.cat([network(part).argmax(1) for part in read_pictures(path).split(250)])
    if labels is None:
        print(*found.tolist())
    else:
        print(f"accuracy {(found == torch.from_numpy(numpy.load(labels)).long()).float().mean():.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
`,
  );
