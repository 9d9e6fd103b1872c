/**
 * Your own pictures as a data set: pictures of any size, grey or in colour, become equal in size and channels, and are
 * split into a training and a test set.
 *
 *     size     `size` x `size` if it is given, by area averaging with black bars (image/fit.ts). Else the pictures' own
 *              size, if all are equal and no side is longer than 128. Else 28 x 28.
 *     colour   `keep`: three channels if any picture has colour, else one. `grey`: one channel.
 *     split    A fixed permutation of all pictures, a function of their number. The first pictures of a class in this
 *              order are for the test: the share `testShare`, rounded, and at least one of a class of two or more. A
 *              source that has a test set of its own keeps it. Both sets are in the order of the permutation, so that
 *              their first pictures have all classes.
 *
 * The same pictures in the same order give the same bytes. At most 2^30 bytes are held.
 */
import { FormatError, ValueError } from '../errors.ts';
import { coloured, fitted, grey, type OpaquePicture, opaque } from '../image/fit.ts';
import type { Picture } from '../image/png.ts';
import { type Defaults, oneOf, withDefaults } from '../options.ts';
import { createDataset, type Dataset, permutation, type TrainTest } from './dataset.ts';

/** What happens to the colours of own pictures. */
export const COLOURS = ['keep', 'grey'] as const;

/** Options of `loadOwnPictures`. */
export interface OwnPicturesOptions {
  /** The side of the square pictures, in pixels. Default: their own size if all are equal and small, else 28. */
  readonly size?: number | undefined;
  /** `keep` gives three channels if any picture has colour; `grey` gives one. Default `keep`. */
  readonly colour?: (typeof COLOURS)[number] | undefined;
  /** The share of each class that is for the test, above 0 and below 1. Default 0.1. */
  readonly testShare?: number | undefined;
  /** Called for each problem that does not stop the load, such as a damaged file. */
  readonly warn?: ((message: string) => void) | undefined;
}

/** A data set of own pictures, and what was found. */
export interface OwnPictures extends TrainTest {
  /** The name of each class, in the order of the labels. */
  readonly classNames: readonly string[];
  /** How many pictures had each size before scaling, such as `32x20` (height x width). */
  readonly sizes: ReadonlyMap<string, number>;
}

/** The part of a data set that a picture belongs to; null if the split decides it. */
export type Part = 'train' | 'test' | null;

/** The defaults of `OwnPicturesOptions`. */
export const OWN_DEFAULTS = {
  size: undefined,
  colour: 'keep',
  testShare: 0.1,
  warn: undefined,
} as const satisfies Defaults<OwnPicturesOptions>;

/** The side of the pictures if they have different sizes. */
export const DEFAULT_SIZE = 28;
/** The longest side that pictures keep without a `size`. */
const MOST_OWN_SIDE = 128;
/** The longest side that `size` may have. */
export const MOST_SIZE = 1024;
/** The most bytes of all pictures. */
const MOST_BYTES = 2 ** 30;
const MOST_CLASSES = 256;

/** Collects pictures one by one, and makes a data set of them. */
export class PictureCollector {
  private readonly pictures: OpaquePicture[] = [];
  private readonly classes: string[] = [];
  private readonly parts: Part[] = [];
  private readonly sizes = new Map<string, number>();
  private readonly options: ReturnType<typeof checkOptions>;
  /** The side of the squares; undefined as long as all pictures have one size that they keep. */
  private side: number | undefined;
  private bytes = 0;

  /** @param name the name of the data set, for errors too @throws ValueError for options out of range */
  constructor(
    private readonly name: string,
    options: OwnPicturesOptions,
  ) {
    this.options = checkOptions(options);
    this.side = this.options.size;
  }

  /** Adds a picture of a class. @throws FormatError if the pictures would take too much memory */
  add(picture: Picture, className: string, part: Part): void {
    const plain = this.options.colour === 'grey' ? grey(opaque(picture)) : opaque(picture);
    const [first] = this.pictures;
    const size = sizeName(plain);
    this.sizes.set(size, (this.sizes.get(size) ?? 0) + 1);
    const isLarge = Math.max(plain.width, plain.height) > MOST_OWN_SIDE;
    if (this.side === undefined && (isLarge || (first && sizeName(first) !== size))) {
      this.side = DEFAULT_SIZE;
      for (const [i, kept] of this.pictures.entries()) this.pictures[i] = fitted(kept, this.side);
    }
    const own = this.side === undefined ? plain : fitted(plain, this.side);
    // All pictures may get three channels at the end.
    this.bytes = (this.pictures.length + 1) * own.width * own.height * 3;
    if (this.bytes > MOST_BYTES) {
      const got = `${this.pictures.length + 1} pictures of ${sizeName(own)}`;
      throw new FormatError(
        `${this.name}: expected pictures of at most ${MOST_BYTES} bytes in all, got ${got}; a smaller size takes less`,
      );
    }
    this.pictures.push(own);
    this.classes.push(className);
    this.parts.push(part);
  }

  /** How many pictures there are. */
  get length(): number {
    return this.pictures.length;
  }

  /** Whether a class has a picture. */
  has(className: string): boolean {
    return this.classes.includes(className);
  }

  /**
   * The data set.
   * @param classNames the classes in the order of their labels
   * @throws FormatError for too many classes, or too few pictures for a training and a test set
   */
  finish(classNames: readonly string[]): OwnPictures {
    const classes = classNames.length;
    if (classes > MOST_CLASSES) {
      throw new FormatError(`${this.name}: expected at most ${MOST_CLASSES} classes, got ${classes}`);
    }
    const numbers = new Map(classNames.map((name, label) => [name, label]));
    const labels = Uint8Array.from(this.classes, (name) => numbers.get(name)!);
    const { train, test } = this.split(labels);
    if (train.length === 0 || test.length === 0) {
      const got = `${train.length} for the training and ${test.length} for the test`;
      throw new FormatError(`${this.name}: expected two pictures of a class or more, got ${got}`);
    }
    const channels = this.pictures.some((picture) => picture.channels === 3) ? 3 : 1;
    const { height, width } = this.pictures[0];
    const dataset = (part: string, indices: readonly number[]): Dataset => {
      const images = new Uint8Array(indices.length * height * width * channels);
      for (const [to, from] of indices.entries()) {
        const picture = channels === 3 ? coloured(this.pictures[from]) : this.pictures[from];
        images.set(picture.pixels, to * height * width * channels);
      }
      const own = Uint8Array.from(indices, (i) => labels[i]);
      const shape = { height, width, channels, classes };
      return createDataset({ name: `${this.name} ${part}`, ...shape, images, labels: own });
    };
    return {
      train: dataset('train', train),
      test: dataset('test', test),
      classNames,
      sizes: this.sizes,
    };
  }

  /** The indices of the training and of the test pictures. @throws ValueError for a share that nothing needs */
  private split(labels: Uint8Array): { train: number[]; test: number[] } {
    const order = [...permutation(labels.length, 'split')];
    const { given, testShare } = this.options;
    if (this.parts.some((part) => part !== null)) {
      if (given) {
        throw new ValueError(
          `test share: expected pictures without a test set, got ${this.name}, which has one`,
        );
      }
      const of = (wanted: Part) => order.filter((i) => this.parts[i] === wanted);
      return { train: of('train'), test: of('test') };
    }
    const counts = new Map<number, number>();
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
    const left = new Map(Array.from(counts, ([label, n]) => [label, testCount(n, testShare)]));
    const [train, test]: [number[], number[]] = [[], []];
    for (const i of order) {
      const wanted = left.get(labels[i])!;
      (wanted > 0 ? test : train).push(i);
      left.set(labels[i], wanted - 1);
    }
    return { train, test };
  }
}

/** How many of `n` pictures of a class are for the test: at least one, and not all. */
const testCount = (n: number, share: number) => Math.min(n - 1, Math.max(1, Math.round(share * n)));

const sizeName = ({ height, width }: Pick<Picture, 'height' | 'width'>) => `${height}x${width}`;

function checkOptions(options: OwnPicturesOptions) {
  const { size, colour, testShare } = withDefaults('own pictures', options, OWN_DEFAULTS);
  if (size !== undefined && !(Number.isInteger(size) && size >= 1 && size <= MOST_SIZE)) {
    throw new ValueError(`size: expected a whole number from 1 to ${MOST_SIZE}, got ${size}`);
  }
  if (!(testShare > 0 && testShare < 1)) {
    throw new ValueError(`test share: expected a number above 0 and below 1, got ${testShare}`);
  }
  const given = options.testShare !== undefined;
  return { size, colour: oneOf('colour', COLOURS, colour), testShare, given };
}
