/** The options for the output: the folder of the results, and what is printed. They do not change the results. */
import { flag, text } from '../../models/setting.ts';

/** The options for what a run prints. */
export const REPORT_TABLE = {
  json: flag('json', 'Print events as JSON, one object per line.'),
  quiet: flag('quiet', 'Print only warnings and errors.'),
} as const;

/** The option `--out`. @param defaultText the default in words, if it depends on other options */
export const outSetting = <F extends string | null>(folder: F, defaultText?: string) =>
  text('out', folder, 'The folder for the results.', {
    placeholder: 'folder',
    ...(defaultText === undefined ? {} : { defaultText }),
  });

/** The default of `--out` for samples of a model, in words. */
export const MODEL_FOLDER = 'the folder of the model; out/NAME for a published model';
