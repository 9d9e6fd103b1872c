/** Options on where results go and what is printed. They do not change results, so that no recipe has them. */
import { flag, text } from '../../models/setting.ts';

/** What a run prints. */
export const REPORT_TABLE = {
  json: flag('json', 'Print events as JSON, one object a line.'),
  quiet: flag('quiet', 'Print nothing but errors.'),
} as const;

/** The folder of the results. @param defaultText where the default follows from other options */
export const outSetting = <F extends string | null>(folder: F, defaultText?: string) =>
  text('out', folder, 'The folder for the results.', {
    placeholder: 'folder',
    ...(defaultText === undefined ? {} : { defaultText }),
  });

/** The default folder of what a model makes, in words. */
export const MODEL_FOLDER = "the model's; out/NAME for a published one";
