/**
 * The names of the files of `langevin sample`. A picture's name has label, sampler, what differs from the defaults, and
 * seed. Samples of other settings have another name, and none is `samples.png`, which training writes.
 */
import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { SAMPLING_DEFAULTS } from '../../models/sampling-defaults.ts';
import { defaultsOf, settingText, type Value } from '../../models/setting.ts';
import { SAMPLE_TABLE, SAMPLING_TABLE } from '../../models/settings.ts';

const { count, label, from, strength, inpaint, resamples } = SAMPLE_TABLE;
const { sampler, steps, guidance, guidanceAbove, guidanceBelow, classifierGuidance, prepare, seed } =
  SAMPLING_TABLE;
const GUIDED = { guidance, guidanceAbove, guidanceBelow, classifierGuidance };
const EDITED = { from, strength, inpaint, resamples };
const NAMED = { label, sampler, steps, ...GUIDED, prepare, ...EDITED, count, seed };
const OTHERWISE: Readonly<Record<string, unknown>> = { ...defaultsOf(NAMED), ...SAMPLING_DEFAULTS };
/** Those that the name always has. */
const ALWAYS = ['sampler', 'seed'];
const MOST = 40;
/** Characters of a name: file systems take 255 bytes with the ending. */
const MOST_IN_ALL = 200;

/** A text as a part of a file's name; a hash stands for what is too long or has other characters. */
function slug(text: string, most = MOST): string {
  if (text.length <= most && /^[\w.-]+$/.test(text)) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return `${text.slice(0, most).replace(/[^\w.-]+/g, '_')}-${hash}`;
}

/** `samples-label-7-ddim-seed-0`, without an ending. */
export function sampleFileName(settings: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(NAMED).flatMap(([name, setting]) => {
    const otherwise = OTHERWISE[name] as Value | undefined;
    const value = (settings[name] ?? otherwise) as Value | undefined;
    if (value === undefined) return [];
    const isDefault = otherwise !== undefined && settingText(value) === settingText(otherwise);
    if (isDefault && !ALWAYS.includes(name)) return [];
    const text = slug(settingText(value).replaceAll(',', '-'));
    return name === 'sampler' ? [text] : [setting.flag, text];
  });
  return slug(['samples', ...parts].join('-'), MOST_IN_ALL);
}

/** The file of the labels beside a file of pictures: `s.npy` has `s.labels.npy`. */
export const labelsFileName = (file: string): string =>
  `${file.slice(0, file.length - extname(file).length)}.labels.npy`;
