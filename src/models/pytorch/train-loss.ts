/** The losses of train.py in Python, one for each task. They are the losses of the recipes in training/. */
import type { LossWeighting, TimeSamplingName } from '../../diffusion/objective.ts';
import { EDM_NOISE } from '../../diffusion/preconditioning.ts';
import type { DiffusionSettings } from '../training/diffusion.ts';
import { pythonFile } from './python.ts';

/** A Python file's constants and functions for one loss. */
export interface LossSource {
  /** Names to import from process.py. */
  readonly process?: string;
  readonly constants: string;
  readonly source: string;
}

/** The class of a loss in Python. It holds the network, so that DistributedDataParallel sees its parameters. */
const lossClass = (meaning: string, methods: string): string => `
class Loss(nn.Module):
    """${meaning}"""

    def __init__(self, network):
        super().__init__()
        self.network = network
${methods}`;

const TIMES: Readonly<Record<TimeSamplingName, string>> = {
  uniform: 'return time_at(torch.rand(n, generator=generator, dtype=torch.float64))',
  stratified:
    'parts = torch.arange(n) + torch.rand(n, generator=generator, dtype=torch.float64)\n    return time_at(parts / n)',
  'logit-normal':
    'z = torch.randn(n, generator=generator, dtype=torch.float64)\n    return time_at(torch.sigmoid(z).clamp(max=1 - 2**-53))',
  'log-normal': `z = torch.randn(n, generator=generator, dtype=torch.float64)
    return time_of_ratio(torch.exp(${EDM_NOISE.mean} + ${EDM_NOISE.std} * z))`,
};

/** The weight of the squared error of the prediction. */
const weightOf = (weighting: LossWeighting, predicts: DiffusionSettings['predicts']): string => {
  if (weighting === 'simple') {
    return predicts === 'score' ? 'return sigma**2' : 'return torch.ones_like(t)';
  }
  const ofX0 = 'p, q = row(alpha, sigma)\n    of_x0 = sigma / (alpha * q - sigma * p)';
  switch (weighting) {
    case 'min-snr':
      return `${ofX0}\n    return (alpha / sigma).square().clamp(max=5) * of_x0**2`;
    case 'p2':
      return `p, q = row(alpha, sigma)\n    of_eps = alpha / (alpha * q - sigma * p)
    return of_eps**2 / (1 + (alpha / sigma) ** 2)`;
    case 'vlb':
      return `${ofX0}
    return from_x0(t)[0] ** 2 / (2 * from_x0(t.clamp(min=1))[1]) * of_x0**2


def from_x0(t):
    """The factor of x0 in the mean of the step before t, and the variance of that step."""
    alpha, sigma = level(t)
    before, least = level((t - 1).clamp(min=0)), t == 0
    alpha_to = torch.where(least, torch.ones_like(t), before[0])
    sigma_to = torch.where(least, torch.zeros_like(t), before[1])
    beta = sigma**2 - (alpha / alpha_to * sigma_to) ** 2
    return alpha_to * beta / sigma**2, beta * sigma_to**2 / sigma**2`;
  }
};

/** The loss of a diffusion model. */
export const diffusionLoss = ({
  times,
  lossWeighting,
  predicts,
  labelDropout,
}: DiffusionSettings): LossSource => ({
  process: `encode, each, level, predict, row, ${times === 'log-normal' ? 'time_of_ratio' : 'time_at'}`,
  constants: `LABEL_DROPOUT = ${labelDropout}  # the fraction of labels that training hides`,
  source: pythonFile(
    `
def random_times(n, generator):
    """A time for each of n pictures: ${times}."""
    ${TIMES[times]}
`,
    `
def weight(t, alpha, sigma):
    """The weight of the squared error at each time: ${lossWeighting}."""
    ${weightOf(lossWeighting, predicts)}
`,
    lossClass(
      'The mean loss of pictures as bytes [b, c, h, w]. The seed determines times, noise and hidden labels.',
      `
    def forward(self, pictures, labels, seed):
        generator = torch.Generator().manual_seed(seed)
        x0 = encode(pictures)
        t = random_times(len(x0), generator)
        eps = torch.randn(x0.shape, generator=generator).to(x0.device)
        hidden = torch.rand(len(x0), generator=generator) < LABEL_DROPOUT
        return self.at(x0, labels.masked_fill(hidden.to(labels.device), -1), t, eps)

    def at(self, x0, labels, t, eps):
        """The mean loss for given times and given noise."""
        alpha, sigma = level(t)
        p, q = row(alpha, sigma)
        x = each(alpha, x0) * x0 + each(sigma, x0) * eps
        target = each(p, x0) * x0 + each(q, x0) * eps
        error = (predict(self.network, x, t, labels) - target).square()
        return (each(weight(t, alpha, sigma), x0) * error).mean()
`,
    ),
  ),
});

/** The loss of a denoiser. */
export const denoiserLoss = ({ noise }: { readonly noise: number }): LossSource => ({
  constants: `NOISE = ${noise}  # the standard deviation of the noise; pixels are from 0 to 1`,
  source: lossClass(
    'The mean squared error of pictures as bytes, with noise and without. The seed determines the noise.',
    `
    def forward(self, pictures, labels, seed):
        x = pictures.float() / 255
        return self.at(x, torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)).to(x.device))

    def at(self, x, eps):
        """The mean loss for given noise."""
        return F.mse_loss(self.network(x + NOISE * eps), x)
`,
  ),
});

/** The loss of the lecture's model. */
export const lectureLossSource = (schedule: readonly number[], carry: boolean): LossSource => ({
  constants: `TIMES = [${schedule.join(', ')}]
CARRY = ${carry ? 'True' : 'False'}  # whether each time starts from the state of the time after it`,
  source: lossClass(
    "The lecture's loss of pictures as bytes, summed over the times. The seed determines the noise.",
    `
    def forward(self, pictures, labels, seed):
        x = pictures.float() / 255
        generator = torch.Generator().manual_seed(seed)
        draws = 2 * (len(TIMES) - 1)
        return self.at(x, torch.randn(draws, *x.shape, generator=generator).to(x.device))

    def at(self, x, noise):
        """The loss for given noise: first that of the noising steps, then that of the other steps."""
        steps = [b - a for a, b in zip(TIMES, TIMES[1:])]
        noise = list(noise)
        noisy = x + sum(step**0.5 * noise.pop(0) for step in steps)
        loss = 0
        for t in reversed(range(len(steps))):
            denoised = noisy - steps[t] ** 0.5 * noise.pop(0)
            loss = loss + F.mse_loss(self.network(denoised, TIMES[t]), (x - denoised) / steps[t])
            if CARRY:
                noisy = denoised
        return loss
`,
  ),
});

const SHIFTS = `
def moved(x, generator):
    """Each picture is shifted by -2 to 2 pixels down and across."""
    n, _, height, width = x.shape
    shifts = torch.randint(-2, 3, (n, 2), generator=generator).float()
    maps = torch.eye(2, 3).repeat(n, 1, 1)
    maps[:, :, 2] = 2 * shifts / torch.tensor([max(1, width - 1), max(1, height - 1)])
    grid = F.affine_grid(maps, x.shape, align_corners=True).to(x.device)
    return F.grid_sample(x, grid, align_corners=True)
`;

const MOTIONS = `
def moved(x, generator):
    """Each picture is rotated by up to 10 degrees, scaled by 0.9 to 1.1, and shifted by up to 0.08 of its side."""
    n, _, height, width = x.shape
    draw = lambda low, high: low + (high - low) * torch.rand(n, generator=generator)
    angle, scale = torch.deg2rad(draw(-10.0, 10.0)), draw(0.9, 1.1)
    ratio = max(1, height - 1) / max(1, width - 1)
    across = torch.stack([angle.cos() / scale, angle.sin() / scale * ratio, draw(-0.16, 0.16)], 1)
    down = torch.stack([-angle.sin() / scale / ratio, angle.cos() / scale, draw(-0.16, 0.16)], 1)
    grid = F.affine_grid(torch.stack([across, down], 1), x.shape, align_corners=True).to(x.device)
    return F.grid_sample(x, grid, align_corners=True)
`;

/** The loss of a classifier. @param smoothing the smoothing of labels; the network with it has other motions */
export const classifierLoss = (smoothing: number): LossSource => ({
  constants: `LABEL_SMOOTHING = ${smoothing}`,
  source: pythonFile(
    smoothing > 0 ? MOTIONS : SHIFTS,
    lossClass(
      'The mean cross-entropy of pictures as bytes [b, c, h, w] and labels [b]. The seed determines the motions.',
      `
    def forward(self, pictures, labels, seed):
        x = moved(pictures.float() / 255, torch.Generator().manual_seed(seed))
        return self.at(x, labels)

    def at(self, x, labels):
        """The mean loss without motions."""
        return F.cross_entropy(self.network(x), labels, label_smoothing=LABEL_SMOOTHING)
`,
    ),
  ),
});
