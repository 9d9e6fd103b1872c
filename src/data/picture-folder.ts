/**
 * A folder of PNG pictures as a data set. The pictures lie in the folder itself, or in one subfolder for each class:
 *
 *     letters/a/1.png   letters/a/2.png   letters/b/1.png         two classes, a and b
 *     letters/train/a/1.png   letters/test/a/2.png                the same with a test set of its own
 *     photos/1.png   photos/2.png                                 one class
 *
 * Labels count from 0 in the order of the subfolders' names: numbers by their value, and then other names by their code
 * units. Hidden files are ignored. A file that is not a whole PNG is left out with a warning that names it, and so is a
 * file that does not end in `.png`.
 *
 * Files of others are not trusted: a file has at most 64 MiB and 2^24 pixels, and image/png-chunks.ts bounds what it
 * inflates to. Left out on purpose: other formats, and folders inside the folder of a class.
 */
import { host } from '#host';
import { FileError, FormatError, type LangevinError } from '../errors.ts';
import { decodePng } from '../image/png.ts';
import type { FolderEntry } from '../platform/host.ts';
import { type OwnPictures, type OwnPicturesOptions, type Part, PictureCollector } from './own-pictures.ts';

/** The most bytes of a PNG file. */
const MOST_FILE = 2 ** 26;
/** The most warnings about single files. */
const MOST_WARNINGS = 10;
/** The most names in a warning about several files. */
const MOST_NAMES = 3;

/** A picture that has not been read yet. */
interface PictureFile {
  readonly path: string;
  readonly bytes: number;
  readonly className: string;
  readonly part: Part;
}

/** The last part of a path. */
export const folderName = (path: string): string => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;

const isPng = ({ name, kind }: FolderEntry) => kind === 'file' && /\.png$/i.test(name);

/** Compares names: whole numbers by their value and first, other names by their code units. */
function byName(a: string, b: string): number {
  const [x, y] = [a, b].map((name) => (/^\d+$/.test(name) ? Number(name) : Infinity));
  if (x !== y) return x - y;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The entries of a folder by name, without hidden ones. */
async function visible(path: string): Promise<FolderEntry[]> {
  const entries = await host.list(path);
  return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => byName(a.name, b.name));
}

/** The pictures of a folder, and the paths of what is left out. */
interface Found {
  readonly files: readonly PictureFile[];
  readonly others: readonly string[];
}

/** Finds the pictures of one part: in subfolders for classes, or else in the folder itself. */
async function findPart(folder: string, name: string, part: Part): Promise<Found> {
  const entries = await visible(folder);
  const others: string[] = [];
  const pngsOf = (place: string, inside: readonly FolderEntry[], className: string) => {
    const file = ({ name, bytes }: FolderEntry) => ({ path: `${place}/${name}`, bytes, className, part });
    return inside.filter(isPng).map(file);
  };
  const leaveOut = (place: string, left: readonly FolderEntry[]) => {
    for (const entry of left) others.push(`${place}/${entry.name}`);
  };
  const classes: PictureFile[] = [];
  for (const { name: className } of entries.filter(({ kind }) => kind === 'folder')) {
    const place = `${folder}/${className}`;
    const inside = await visible(place);
    const files = pngsOf(place, inside, className);
    classes.push(...files);
    if (files.length === 0) others.push(place);
    else
      leaveOut(
        place,
        inside.filter((entry) => !isPng(entry)),
      );
  }
  const isFlat = classes.length === 0;
  leaveOut(
    folder,
    entries.filter((entry) => entry.kind !== 'folder' && !(isFlat && isPng(entry))),
  );
  return { files: isFlat ? pngsOf(folder, entries, name) : classes, others };
}

/** Finds all pictures. The subfolders `train` and `test`, if there are no others, are parts and not classes. */
async function find(folder: string, name: string): Promise<Found> {
  const subfolders = (await visible(folder))
    .filter(({ kind }) => kind === 'folder')
    .map((entry) => entry.name);
  if (subfolders.join() !== 'test,train') return findPart(folder, name, null);
  const train = await findPart(`${folder}/train`, name, 'train');
  const test = await findPart(`${folder}/test`, name, 'test');
  return { files: [...train.files, ...test.files], others: [...train.others, ...test.others] };
}

/** Reads a picture. @throws FileError, FormatError */
async function read({ path, bytes }: PictureFile) {
  if (bytes > MOST_FILE) {
    throw new FormatError(`${path}: expected a PNG of at most ${MOST_FILE} bytes, got ${bytes}`);
  }
  return decodePng(await host.readFile(path), { name: path });
}

/**
 * A data set of the PNG files in a folder.
 * @throws FileError for a folder that cannot be read or has no PNG
 * @throws FormatError if no PNG is whole, or the pictures are too few or too many
 * @throws ValueError for options out of range
 */
export async function loadPictureFolder(
  folder: string,
  options: OwnPicturesOptions = {},
): Promise<OwnPictures> {
  const name = folderName(folder);
  const collector = new PictureCollector(name, options);
  const { files, others } = await find(folder, name);
  if (files.length === 0) throw noPictures(folder, others);
  const broken: string[] = [];
  for (const file of files) {
    try {
      collector.add(await read(file), file.className, file.part);
    } catch (error) {
      if (!(error instanceof FileError || error instanceof FormatError)) throw error;
      broken.push(error.message);
    }
  }
  if (collector.length === 0) {
    throw new FormatError(
      `${folder}: expected a PNG that can be read, got ${files.length} others; ${broken[0]}`,
    );
  }
  for (const message of warningsOf(broken, others)) options.warn?.(message);
  const classNames = [...new Set(files.map(({ className }) => className))].sort(byName);
  return collector.finish(classNames.filter((className) => collector.has(className)));
}

/** One warning for each of the first damaged files, and one for all that is no picture. */
function warningsOf(broken: readonly string[], others: readonly string[]): string[] {
  const more = broken.length - MOST_WARNINGS;
  const names = others.slice(0, MOST_NAMES).join(', ');
  return [
    ...broken.slice(0, MOST_WARNINGS).map((message) => `left out: ${message}`),
    ...(more > 0 ? [`left out: ${more} more files that cannot be read`] : []),
    ...(others.length > 0
      ? [
          `left out: ${others.length} without a .png picture: ${names}${others.length > MOST_NAMES ? ', ...' : ''}`,
        ]
      : []),
  ];
}

function noPictures(folder: string, others: readonly string[]): LangevinError {
  const array = others.find((path) => /\.np[yz]$/i.test(path));
  const hint = array === undefined ? '' : `; an array is selected by its file, such as ${array}`;
  return new FileError(
    `${folder}: expected PNG pictures, in it or in a subfolder for each class, or four IDX files; found none${hint}`,
  );
}
