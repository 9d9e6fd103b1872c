/** A contact sheet of a data set: rows with the first training pictures of each class. */
import { type Dataset, pictureSize } from '../../data/dataset.ts';
import { picturesAt } from '../evaluation/judged.ts';
import { type PictureRow, type PictureRows, pictureSizeOf } from './picture-rows.ts';

/** The number of pictures in a row, and of rows if there are at most so many classes. */
const SIDE = 10;
/** The most classes that are shown. */
export const MOST_SHEET_CLASSES = 26;
/** The most characters of the name of a class. */
const MOST_NAME = 16;

/** The label of a class and its name, if it has one of its own. */
function rowLabel(label: number, name: string): string {
  const short = name.length > MOST_NAME ? `${name.slice(0, MOST_NAME - 1)}_` : name;
  return short === String(label) ? short : `${label} ${short}`;
}

/**
 * The first pictures of each class. With few classes a class has several rows.
 * @param classNames the name of each class, in the order of the labels
 */
export function contactSheet(train: Dataset, classNames: readonly string[]): PictureRows {
  const size = pictureSize(train);
  const shown = classNames.slice(0, MOST_SHEET_CLASSES);
  const rowsOfClass = Math.max(1, Math.floor(SIDE / shown.length));
  const rows = shown.flatMap((name, label): PictureRow[] => {
    const own = [...train.labels.keys()].filter((i) => train.labels[i] === label);
    const count = Math.min(rowsOfClass, Math.ceil(own.length / SIDE));
    return Array.from({ length: count }, (_, row) => ({
      label: row === 0 && classNames.length > 1 ? rowLabel(label, name) : '',
      pixels: Float64Array.from(
        picturesAt(train.images, size, own.slice(row * SIDE, (row + 1) * SIDE)),
        (byte) => byte / 255,
      ),
    }));
  });
  return { ...pictureSizeOf(train), rows };
}
