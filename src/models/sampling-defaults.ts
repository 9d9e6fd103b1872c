/**
 * How a diffusion model samples where nobody says otherwise. A model's file may say it in its settings:
 *
 *     "sampling": { "sampler": "heun", "steps": 18, "guidance": 1.5 }
 *
 * with any of the names of OWN_SAMPLING_TABLE. What the file does not say has the defaults below. A file's steps are for
 * its sampler: another sampler starts from the defaults.
 */
import { type Field, readFields } from '../checkpoint/fields.ts';
import { SAMPLERS, type SamplerName } from '../diffusion/samplers/index.ts';
import { ValueError } from '../errors.ts';
import type { DiffusionSizes } from './networks/diffusion-network.ts';
import { PREPARATIONS, requirePreparation } from './prepare.ts';
import { choice, count, notNegative, type Setting, type ValuesOf } from './setting.ts';

/** Samplers that make pictures of noise. */
export const PICTURE_SAMPLERS = SAMPLERS.filter(
  (name): name is Exclude<SamplerName, 'ddim-inversion'> => name !== 'ddim-inversion',
);

/** Where neither the command line nor the model's file says anything. */
export const SAMPLING_DEFAULTS = {
  sampler: 'ddim',
  steps: 50,
  guidanceAbove: 1,
  guidanceBelow: 0,
  prepare: 'none',
} as const;
/** The same for the guidance of models with labels. */
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
    'Scale of classifier-free guidance. 1 samples the conditional model; more follows the label more closely.',
    { defaultText: `the model's own, else ${GUIDANCE}; 1 for a model without labels; 0 with a classifier` },
  ),
  guidanceAbove: notNegative(
    'guidance-above',
    null,
    'Guide only where sigma/alpha, the noise relative to the data, is at least x. 0 guides everywhere.',
    otherwise(SAMPLING_DEFAULTS.guidanceAbove),
  ),
  guidanceBelow: notNegative(
    'guidance-below',
    null,
    'Guide only where sigma/alpha is at most x. 0 sets no upper limit.',
    otherwise(SAMPLING_DEFAULTS.guidanceBelow),
  ),
  prepare: choice(PREPARATIONS)(
    'prepare',
    null,
    'mnist does to samples what the makers of MNIST did to digits: sides of 20 pixels (others are drawn again), and the mass in the middle.',
    otherwise(SAMPLING_DEFAULTS.prepare),
  ),
} as const;

type Values = ValuesOf<typeof OWN_SAMPLING_TABLE>;
/** What a model says of its sampling; anything may be left out. */
export type OwnSampling = { readonly [K in keyof Values]?: NonNullable<Values[K]> };

/** More steps than these are no default that a file sets. */
const MOST_STEPS = 1000;

/** A field that holds what the setting takes, or is absent. */
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
 * What the settings of a file say of sampling. @param source names the file in errors
 * @throws FormatError for what no sampling has
 */
export function readOwnSampling(settings: Readonly<Record<string, unknown>>, source: string): OwnSampling {
  if (settings.sampling === undefined) return {};
  const read = Object.entries(readFields(settings.sampling, FIELDS, `${source}: settings: sampling`));
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

/** The entry of a file's settings; none where nothing is said. */
export const samplingSetting = (sampling: OwnSampling): { readonly sampling?: OwnSampling } =>
  Object.keys(sampling).length > 0 ? { sampling } : {};

/**
 * @param sizes of the network, @param available steps of its schedule at most
 * @throws ValueError for a sampling that such a model cannot do, ShapeError for a preparation of other pictures
 */
export function checkOwnSampling(
  { steps = 1, guidance = 1, prepare = 'none' }: OwnSampling,
  sizes: DiffusionSizes,
  available: number,
): void {
  const most = Math.min(available, MOST_STEPS);
  if (steps > most) throw new ValueError(`sampling: expected at most ${most} steps, got ${steps}`);
  if (sizes.classes === 0 && guidance !== 1) {
    throw new ValueError(`sampling: expected guidance 1 of a model without labels, got ${guidance}`);
  }
  requirePreparation(prepare, sizes);
}

/** What the model says where this sampler is given: without its steps if they are for another. */
export function ownSamplingFor({ steps, ...own }: OwnSampling, sampler?: string): OwnSampling {
  const isOwn = sampler === undefined || sampler === (own.sampler ?? SAMPLING_DEFAULTS.sampler);
  return steps !== undefined && isOwn ? { ...own, steps } : own;
}
