/**
 * The names of the files of `langevin sample`. A name has the sampler, the seed, and all settings that differ from the
 * defaults. So other settings give another name. No name is `samples.png`, because training writes this file.
 */
import { createHash } from 'node:crypto';
import { SAMPLING_DEFAULTS } from '../../models/sampling-defaults.ts';
import { defaultsOf, settingText, type Value } from '../../models/setting.ts';
import { SAMPLE_TABLE, SAMPLING_TABLE } from '../../models/settings.ts';

const { count, label, caption, from, strength, inpaint, resamples } = SAMPLE_TABLE;
const { sampler, steps, guidance, guidanceAbove, guidanceBelow, classifierGuidance, prepare, seed } =
  SAMPLING_TABLE;
const GUIDED = { guidance, guidanceAbove, guidanceBelow, classifierGuidance };
const EDITED = { from, strength, inpaint, resamples };
const NAMED = { label, caption, sampler, steps, ...GUIDED, prepare, ...EDITED, count, seed };
const DEFAULTS: Readonly<Record<string, unknown>> = { ...defaultsOf(NAMED), ...SAMPLING_DEFAULTS };
/** The settings that every name has. */
const ALWAYS = ['sampler', 'seed'];
/** The largest number of characters of one setting. */
const MOST = 40;
/** The largest number of characters of a name. File systems allow 255 bytes with the ending. */
const MOST_IN_ALL = 200;

/** A text as part of a file name. A text that is too long or has other characters is shortened and ends with a hash. */
function slug(text: string, most = MOST): string {
  if (text.length <= most && /^[\w.-]+$/.test(text)) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return `${text.slice(0, most).replace(/[^\w.-]+/g, '_')}-${hash}`;
}

/** The name for these settings, without an ending: `samples-label-7-ddim-seed-0`. */
export function sampleFileName(settings: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(NAMED).flatMap(([name, setting]) => {
    const standard = DEFAULTS[name] as Value | undefined;
    const value = (settings[name] ?? standard) as Value | undefined;
    if (value === undefined) return [];
    const isDefault = standard !== undefined && settingText(value) === settingText(standard);
    if (isDefault && !ALWAYS.includes(name)) return [];
    const text = slug(settingText(value).replaceAll(',', '-'));
    return name === 'sampler' ? [text] : [setting.flag, text];
  });
  return slug(['samples', ...parts].join('-'), MOST_IN_ALL);
}
