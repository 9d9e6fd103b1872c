/** Reads the picture and the mask of `langevin sample --from` and `--inpaint`. */
import { host } from '#host';
import { type PictureShape, pictureName } from '../../data/dataset.ts';
import { decodePng } from '../../image/png.ts';
import { type CheckedEdit, checkEdit } from '../../models/edit.ts';
import { nameOf } from '../../models/setting.ts';
import { SAMPLE_TABLE } from '../../models/settings.ts';
import { counted } from '../report/counted.ts';
import { type Options, readSettings, UsageError } from './arguments.ts';

/** A pixel of a mask is white if its grey is at least this. */
const WHITE = 128;

/** Checks the combination of options. @throws UsageError for `--strength` without `--from`, for example */
export function requireEdit(options: Options): void {
  for (const [name, other] of [
    ['strength', 'from'],
    ['inpaint', 'from'],
    ['resamples', 'inpaint'],
  ] as const) {
    if (options[name] === undefined || options[other] !== undefined) continue;
    throw new UsageError(
      `${nameOf(SAMPLE_TABLE[name])}: expected ${nameOf(SAMPLE_TABLE[other])} with it, got none`,
    );
  }
}

/**
 * The edit that the options define; undefined without `--from`.
 * @throws UsageError for a picture or mask of another size or number of channels, or for a mask without white pixels
 * @throws FileError, FormatError
 */
export async function readEdit(options: Options, shape: PictureShape): Promise<CheckedEdit | undefined> {
  const { from, strength, inpaint, resamples } = readSettings(SAMPLE_TABLE, options);
  if (from === undefined) return undefined;
  const picture = (await pixelsOf('from', from, shape)).map((grey) => grey / 255);
  if (inpaint === undefined) return checkEdit({ picture, strength }, shape);
  const mask = (await pixelsOf('inpaint', inpaint, { ...shape, channels: 1 })).map((grey) =>
    grey < WHITE ? 0 : 1,
  );
  if (!mask.includes(1)) {
    throw new UsageError('--inpaint: expected white pixels in the mask, got none');
  }
  return checkEdit({ picture, strength, mask, resamples }, shape);
}

/** The bytes of a PNG file. @throws UsageError unless it has the expected shape */
async function pixelsOf(
  name: 'from' | 'inpaint',
  path: string,
  shape: PictureShape,
): Promise<readonly number[]> {
  const found = decodePng(await host.readFile(path), { name: path });
  if (pictureName(found) !== pictureName(shape)) {
    const [expected, got] = [shape, found].map(pictureName);
    throw new UsageError(`${nameOf(SAMPLE_TABLE[name])}: expected a picture of ${expected}, got ${got}`);
  }
  return Array.from(found.pixels);
}

/** An edit in one line of text. */
export function editLine(
  { strength, mask, resamples }: CheckedEdit,
  { from, inpaint }: { readonly from?: string | undefined; readonly inpaint?: string | undefined },
): string {
  const inpainting = mask ? `, inpainting with ${inpaint}, ${counted(resamples, 'resample')}` : '';
  return `from     ${from}, strength ${strength}${inpainting}`;
}
