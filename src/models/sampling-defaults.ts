/**
 * The default settings of sampling. The file of a model can have its own defaults, in its settings:
 *
 *     "sampling": { "sampler": "heun", "steps": 18, "guidance": 1.5 }
 *
 * with any of the names of OWN_SAMPLING_TABLE. A name that the file does not have gets the default below. The steps of a file
 * belong to its sampler: with another sampler they do not count.
 */
import { type Field, readFields } from '../checkpoint/fields.ts';
import { SAMPLERS, type SamplerName } from '../diffusion/samplers/index.ts';
import { ValueError } from '../errors.ts';
import type { DiffusionNetwork } from './networks/diffusion-network.ts';
import { PREPARATIONS, type Preparation, requirePreparation } from './prepare.ts';
import { choice, count, notNegative, type Setting } from './setting.ts';

/** The samplers that turn noise into pictures. */
export const PICTURE_SAMPLERS = SAMPLERS.filter(
  (name): name is Exclude<SamplerName, 'ddim-inversion'> => name !== 'ddim-inversion',
);

/** The defaults if neither the command line nor the file of the model has a value. */
export const SAMPLING_DEFAULTS = {
  sampler: 'ddim',
  steps: 50,
  guidanceAbove: 1,
  guidanceBelow: 0,
  prepare: 'none',
} as const;
/** The default guidance of models with labels. */
export const GUIDANCE = 2;

const otherwise = (value: string | number) => ({ defaultText: `the model's own, else ${value}` });

/** The settings of sampling that a model's file may have. */
export const OWN_SAMPLING_TABLE = {
  sampler: choice(PICTURE_SAMPLERS)('sampler', null, 'The sampler.', otherwise(SAMPLING_DEFAULTS.sampler)),
  steps: count('steps', null, 'Steps of the sampler.', {
    defaultText: `the model's own for its sampler, else ${SAMPLING_DEFAULTS.steps}`,
  }),
  guidance: notNegative(
    'guidance',
    null,
    'Scale of classifier-free guidance. 1 samples the conditional model; more follows the label or caption more closely.',
    {
      defaultText: `the model's own, else ${GUIDANCE}; 1 for a model without labels and captions; 0 with a classifier`,
    },
  ),
  guidanceAbove: notNegative(
    'guidance-above',
    null,
    'Guide only if sigma/alpha, the noise relative to the data, is at least x. 0 sets no lower limit.',
    otherwise(SAMPLING_DEFAULTS.guidanceAbove),
  ),
  guidanceBelow: notNegative(
    'guidance-below',
    null,
    'Guide only if sigma/alpha is at most x. 0 sets no upper limit.',
    otherwise(SAMPLING_DEFAULTS.guidanceBelow),
  ),
  prepare: choice(PREPARATIONS)(
    'prepare',
    null,
    'The preparation of samples. mnist is that of the MNIST digits: the longer side has 20 pixels (other samples are replaced), and the centre of mass is in the middle.',
    otherwise(SAMPLING_DEFAULTS.prepare),
  ),
} as const satisfies Record<keyof OwnSampling, Setting>;

/** The default settings in the file of a model. Each can be absent. The command has the same settings as options. */
export interface OwnSampling {
  /** The sampler. Default `ddim`. */
  readonly sampler?: (typeof PICTURE_SAMPLERS)[number];
  /** The number of steps of this sampler. Default 50. */
  readonly steps?: number;
  /** The scale of classifier-free guidance. 1 is the model without guidance. Default 2, or 1 without labels. */
  readonly guidance?: number;
  /** Guide only if sigma/alpha is at least this number. Default 1. */
  readonly guidanceAbove?: number;
  /** Guide only if sigma/alpha is at most this number. 0 sets no limit, and is the default. */
  readonly guidanceBelow?: number;
  /** How samples are prepared. Default `none`. */
  readonly prepare?: Preparation;
}

/** The most steps that a file can have as its default. */
const MOST_STEPS = 1000;

/** A field that has a value of the setting, or is absent. */
function fieldOf<T>({ is }: Setting): Field<T | undefined> {
  const names = 'names' in is ? is.names : [];
  const expected = is.kind === 'number' ? is.range.expected : `one of ${names.join(', ')}`;
  const holds = (value: unknown) =>
    is.kind === 'number'
      ? Number.isFinite(value) && is.range.holds(value as number)
      : names.includes(value as string);
  return { expected, names, accepts: (value): value is T | undefined => value === undefined || holds(value) };
}

const FIELDS = Object.fromEntries(
  Object.entries(OWN_SAMPLING_TABLE).map(([name, setting]) => [name, fieldOf(setting)]),
);

/**
 * Reads the default settings of sampling from the settings of a file.
 * @param source the name of the file in errors
 * @throws FormatError for a value that the setting cannot have
 */
export function readOwnSampling(settings: Readonly<Record<string, unknown>>, source: string): OwnSampling {
  if (settings.sampling === undefined) return {};
  const read = Object.entries(readFields(settings.sampling, FIELDS, `${source}: settings: sampling`));
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

/** The entry for the settings of a file. It is empty without default settings. */
export const samplingSetting = (sampling: OwnSampling): { readonly sampling?: OwnSampling } =>
  Object.keys(sampling).length > 0 ? { sampling } : {};

/**
 * @param network its network, @param available steps of its schedule at most
 * @throws ValueError for a sampling that such a model cannot do, ShapeError for a preparation of other pictures
 */
export function checkOwnSampling(
  { steps = 1, guidance = 1, prepare = 'none' }: OwnSampling,
  { sizes, takesCaptions }: Pick<DiffusionNetwork, 'sizes' | 'takesCaptions'>,
  available: number,
): void {
  const most = Math.min(available, MOST_STEPS);
  if (steps > most) throw new ValueError(`sampling: expected at most ${most} steps, got ${steps}`);
  if (sizes.classes === 0 && !takesCaptions && guidance !== 1) {
    throw new ValueError(`sampling: expected guidance 1 of a model without labels, got ${guidance}`);
  }
  requirePreparation(prepare, sizes);
}

/** The model's defaults for this sampler. If it is not the model's own, they are without steps. */
export function ownSamplingFor({ steps, ...own }: OwnSampling, sampler?: string): OwnSampling {
  const isOwn = sampler === undefined || sampler === (own.sampler ?? SAMPLING_DEFAULTS.sampler);
  return steps !== undefined && isOwn ? { ...own, steps } : own;
}
