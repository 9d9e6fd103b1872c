/**
 * `process.py`: the noise process of a diffusion model in Python. It has only the schedule and the prediction of this
 * model. diffusion/ has the formulas and their sources: betas.ts, continuous-schedule.ts, prediction.ts, and pipeline.ts.
 */
import { BETA_SCHEDULES, type BetaSchedule } from '../../diffusion/betas.ts';
import { SIGMA_DATA } from '../../diffusion/preconditioning.ts';
import type { Prediction } from '../../diffusion/prediction.ts';
import { DATA_DEVIATION, type DiffusionPipeline, type TrainingSchedule } from '../pipeline.ts';
import { pythonFile } from './python.ts';

/** (p, q) in Python: the prediction is p·x0 + q·eps. */
const ROWS: Readonly<Record<Prediction, string>> = {
  eps: 'torch.zeros_like(alpha), torch.ones_like(alpha)',
  x0: 'torch.ones_like(alpha), torch.zeros_like(alpha)',
  v: '-sigma, alpha',
  score: 'torch.zeros_like(alpha), -1 / sigma',
  flow: '-torch.ones_like(alpha), torch.ones_like(alpha)',
  edm: `sigma / (${SIGMA_DATA} * root(alpha, sigma)), -${SIGMA_DATA} * alpha / root(alpha, sigma)`,
};

const ROOT = `
def root(alpha, sigma):
    """The standard deviation of x for data of deviation ${SIGMA_DATA}."""
    return (sigma**2 + ${SIGMA_DATA ** 2} * alpha**2) ** 0.5
`;

/** The betas of a schedule with steps, as a list in Python. */
const BETAS: Readonly<Record<BetaSchedule, string>> = {
  linear: `
    return [1000 / STEPS * (1e-4 + (0.02 - 1e-4) * t / (STEPS - 1)) for t in range(STEPS)]`,
  'scaled-linear': `
    first, last = 0.00085**0.5, 0.012**0.5
    return [(first + (last - first) * t / (STEPS - 1)) ** 2 for t in range(STEPS)]`,
  cosine: `
    share = lambda u: math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
    return [min(1 - share((t + 1) / STEPS) / share(t / STEPS), 0.999) for t in range(STEPS)]`,
  sigmoid: `
    at = lambda u: 1 / (1 + math.exp(-(6 * u - 3)))
    share = lambda u: (at(1) - at(u)) / (at(1) - at(0))
    return [min(1 - share((t + 1) / STEPS) / share(t / STEPS), 0.999) for t in range(STEPS)]`,
  'sigmoid-beta': `
    at = lambda u: 1 / (1 + math.exp(-u))
    return [1e-4 + (0.02 - 1e-4) * at(-6 + 12 * t / (STEPS - 1)) for t in range(STEPS)]`,
};

const table = (schedule: BetaSchedule, steps: number) => `
STEPS = ${steps}


def betas():
    """The variances that the steps add: the schedule ${schedule}."""${BETAS[schedule]}


def levels():
    """alpha and sigma of each step, two tensors [STEPS]. 1 - alpha^2 is a sum of positive terms, which keeps its digits."""
    signal, noise, rows = 1.0, 0.0, []
    for beta in betas():
        signal, noise = signal * (1 - beta), noise * (1 - beta) + beta
        rows.append((signal**0.5, noise**0.5))
    return torch.tensor(rows, dtype=torch.float64).unbind(1)


ALPHAS, SIGMAS = levels()


def level(t):
    """alpha and sigma at times t: whole numbers from 0 to STEPS - 1."""
    return ALPHAS[t.long()], SIGMAS[t.long()]


def network_time(t):
    """The time input of the network, from 0 to 1000."""
    return 1000 * t / STEPS


def time_at(u):
    """The time at the fraction u, 0 <= u < 1."""
    return torch.floor(u * STEPS)


def time_of_ratio(ratio):
    """The time whose sigma/alpha is nearest to each ratio, on a logarithmic scale."""
    logs = torch.log(SIGMAS / ALPHAS)
    return (logs[None] - torch.log(ratio)[:, None]).abs().argmin(1).double()


def sampling_times(steps):
    """The times of a sampler, decreasing."""
    return [round(STEPS - i * (STEPS / steps)) - 1.0 for i in range(steps)]


T_FIRST = 0.0
`;

/** alpha, sigma and the inverse of sigma/alpha in continuous time. */
const CONTINUOUS = {
  flow: {
    level: 'return 1 - t, t',
    inverse: 't = ratio / (1 + ratio)',
  },
  vp: {
    level: 'b = t * (0.1 + 0.5 * t * 19.9)\n    return torch.exp(-b / 2), torch.sqrt(-torch.expm1(-b))',
    inverse: 'b = torch.log1p(ratio**2)\n    t = 2 * b / (0.1 + torch.sqrt(0.01 + 2 * 19.9 * b))',
  },
  'sub-vp': {
    level: 'b = t * (0.1 + 0.5 * t * 19.9)\n    return torch.exp(-b / 2), -torch.expm1(-b)',
    inverse:
      'b = 2 * torch.log((ratio + torch.sqrt(ratio**2 + 4)) / 2)\n    t = 2 * b / (0.1 + torch.sqrt(0.01 + 2 * 19.9 * b))',
  },
} as const;

const continuous = (schedule: keyof typeof CONTINUOUS, student: number) => `
T_FIRST, T_LAST = 1e-3, 1.0  # the times with the least and the most noise


def level(t):
    """alpha and sigma at times t from T_FIRST to T_LAST: the schedule ${schedule}."""
    ${CONTINUOUS[schedule].level}


def network_time(t):
    """The time input of the network, from 0 to 1000."""
    return 1000 * t / T_LAST


def time_at(u):
    """The time at the fraction u, 0 <= u < 1."""
    return T_FIRST + u * (T_LAST - T_FIRST)


def time_of_ratio(ratio):
    """The time with this sigma/alpha, for each ratio."""
    ${CONTINUOUS[schedule].inverse}
    return t.clamp(T_FIRST, T_LAST)


def sampling_times(steps):
    """The times of a sampler, decreasing."""
    ${
      student > 0
        ? 'return [T_LAST * (1 - i / steps) for i in range(steps)]'
        : 'return [T_LAST + (T_FIRST - T_LAST) * i / max(1, steps - 1) for i in range(steps)]'
    }
`;

const isTable = (schedule: TrainingSchedule): schedule is BetaSchedule =>
  BETA_SCHEDULES.some((name) => name === schedule);

/** The body of `predict`: the network's output, or the prediction that follows from its estimate of the data. */
function predictBody({ isDirect, isScaled }: Pick<DiffusionPipeline, 'isDirect' | 'isScaled'>): string {
  const network = (x: string) => `network(${x}, network_time(t).to(x.device), labels)`;
  if (isScaled) {
    return `
    alpha, sigma = level(t)
    return ${network('x / each(root(alpha, sigma), x)')}`;
  }
  if (isDirect) return `\n    return ${network('x')}`;
  return `
    # The network estimates the data: they are normal around its output y with the deviation ${DATA_DEVIATION}.
    y = ${network('x')}
    alpha, sigma = level(t)
    p, q = row(alpha, sigma)
    variance = ${DATA_DEVIATION}**2
    total = variance * alpha**2 + sigma**2
    of_x = (p * variance * alpha + q * sigma) / total
    of_y = (p * sigma**2 - q * alpha * sigma) / total
    return each(of_x, x) * x + each(of_y, x) * y`;
}

const TONES = `
SETTINGS = json.loads(read_safetensors(WEIGHTS)[1]["settings"])
TONES = torch.tensor(SETTINGS.get("tones", []))  # the number of each grey; empty: linear
CUTS = torch.tensor(SETTINGS.get("cuts", []))  # the limits between greys; empty: the nearest tone
KINDS = [(kind["from"], torch.tensor(kind["cuts"])) for kind in SETTINGS.get("kinds", [])]  # by brightness


def encode(pictures):
    """Bytes [b, CHANNELS, HEIGHT, WIDTH] as the numbers in [-1, 1] that the network takes."""
    if len(TONES) > 0:
        return TONES.to(pictures.device)[pictures.long()]
    return pictures.float() * (2 / 255) - 1


def cuts_of(picture):
    """The limits between greys for one picture. The brightness of a picture is the median of its bright numbers."""
    bright = picture[picture >= CUTS[191]].sort().values
    brightness = bright[len(bright) // 2] if len(bright) > 0 else -1
    return [cuts for least, cuts in KINDS if least <= brightness][-1] if KINDS else CUTS


def decode(x):
    """Samples as bytes."""
    x = x.cpu().contiguous()
    if len(CUTS) > 0:
        return torch.stack([torch.bucketize(picture, cuts_of(picture), right=True) for picture in x]).byte()
    if len(TONES) > 0:
        return torch.bucketize(x, (TONES[1:] + TONES[:-1]) / 2, right=True).byte()
    return ((x + 1) * 127.5).round().clamp(0, 255).byte()
`;

/** The source of process.py for a model. */
export function processSource(model: DiffusionPipeline): string {
  const { predicts, network } = model;
  const { schedule, steps, student = 0 } = model.settings;
  return pythonFile(
    `
"""
The noise process of the model: x = alpha*x0 + sigma*eps, with clean pictures x0 in [-1, 1] and normal noise eps.
The schedule is ${schedule}, and the model predicts ${predicts}. All times are float64 tensors. Written by langevin.
"""
import json
${isTable(schedule) ? 'import math\n' : ''}
import torch

from model import WEIGHTS, read_safetensors
`,
    isTable(schedule) ? table(schedule, steps) : continuous(schedule, student),
    predicts === 'edm' ? ROOT : '',
    `
def row(alpha, sigma):
    """(p, q): the prediction ${predicts} is p*x0 + q*eps."""
    return ${ROWS[predicts]}


def each(values, x):
    """One number per picture, in a shape that broadcasts over pictures x."""
    return values.to(x.device, x.dtype).reshape(-1, 1, 1, 1)


def predict(network, x, t, labels=None):
    """The prediction for noisy pictures x [b, CHANNELS, HEIGHT, WIDTH] at times t [b]. The label -1 is no label."""${predictBody(model)}


def to_data(x, prediction, alpha, sigma):
    """The clean pictures that belong to a prediction."""
    p, q = row(alpha, sigma)
    determinant = alpha * q - sigma * p
    return each(q / determinant, x) * x - each(sigma / determinant, x) * prediction
`,
    TONES,
  ).replaceAll('[b, CHANNELS, HEIGHT, WIDTH]', `[b, ${shapeOf(network.sizes)}]`);
}

const shapeOf = ({ channels, height, width }: DiffusionPipeline['network']['sizes']) =>
  `${channels}, ${height}, ${width}`;
