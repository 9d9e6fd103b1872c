/** Samples as bytes, and the choice of equally many real pictures with the same labels. */
import { type Dataset, type PictureShape, permutation, pictureSize } from '../../data/dataset.ts';
import type { Labels } from '../../diffusion/guidance.ts';
import { ShapeError, ValueError } from '../../errors.ts';
import type { Seed } from '../../random/rng.ts';

/** The pictures in a test: samples, or pictures of any other origin. */
export interface JudgedPictures extends PictureShape {
  /** [n, height, width, channels], 0 to 255. */
  readonly images: Uint8Array;
  /** The requested label of each picture, or null. */
  readonly labels: Labels;
}

/** The pictures of a data set as samples. */
export const judgedOf = ({ height, width, channels, images, labels }: Dataset): JudgedPictures => {
  return { height, width, channels, images, labels: Array.from(labels) };
};

/** @throws ShapeError for samples of another size than the real pictures, or unless each sample has an entry in `labels` */
export function requireSamples(what: string, samples: JudgedPictures, real: PictureShape): void {
  const names = ['height', 'width', 'channels'] as const;
  const [expected, got] = [real, samples].map((shape) => names.map((name) => shape[name]).join('x'));
  if (expected !== got) throw new ShapeError(`${what}: expected pictures of ${expected}, got ${got}`);
  const size = samples.labels.length * pictureSize(samples);
  if (samples.images.length !== size) {
    throw new ShapeError(
      `${what}: expected ${size} bytes for ${samples.labels.length} labels, got ${samples.images.length}`,
    );
  }
}

/**
 * Chooses a real picture for each sample, and returns its index. It has the label of the sample, or any label if the
 * sample's label is null. The choice is random, and no picture is chosen twice.
 * @throws ValueError if there are too few real pictures
 */
export function matchLabels(what: string, labels: Labels, real: Dataset, seed: Seed): Uint32Array {
  const order = permutation(real.length, `${seed}/match`);
  const left = Array.from({ length: real.classes }, (_, label) =>
    order.filter((i) => real.labels[i] === label),
  );
  const next = left.map(() => 0);
  const taken = new Set<number>();
  const match = new Uint32Array(labels.length);
  for (const [i, label] of labels.entries()) {
    if (label === null) continue;
    if (next[label] >= (left[label]?.length ?? 0)) {
      const wanted = labels.filter((other) => other === label).length;
      throw new ValueError(
        `${what}: expected ${wanted} real pictures with the label ${label}, as many as samples, got ${left[label]?.length ?? 0}`,
      );
    }
    match[i] = left[label][next[label]++];
    taken.add(match[i]);
  }
  const others = order.filter((i) => !taken.has(i));
  const free = labels.flatMap((label, i) => (label === null ? [i] : []));
  if (free.length > others.length) {
    throw new ValueError(`${what}: expected ${labels.length} real pictures or more, got ${real.length}`);
  }
  for (const [k, i] of free.entries()) match[i] = others[k];
  return match;
}

/** A copy of the pictures at `indices`. @param size the number of bytes of a picture */
export function picturesAt(
  images: Uint8Array,
  size: number,
  indices: ArrayLike<number> & Iterable<number>,
): Uint8Array {
  const out = new Uint8Array(indices.length * size);
  let to = 0;
  for (const i of indices) out.set(images.subarray(i * size, (i + 1) * size), size * to++);
  return out;
}

/** The first `count` pictures. The bytes are not copied. */
export function takeJudged(pictures: JudgedPictures, count: number): JudgedPictures {
  const { images, labels } = pictures;
  return {
    ...pictures,
    images: images.subarray(0, count * pictureSize(pictures)),
    labels: labels.slice(0, count),
  };
}
