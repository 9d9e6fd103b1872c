/** The code blocks of README.md, and the way in which a test runs each of their lines. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { encodePng } from '../src/image/png.ts';
import { disc, writeClasses } from './helpers-pictures.ts';

/** A fenced block: its language ('' for none), its text, and the line of its first character. */
export interface Block {
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

/** The fenced blocks of a document, in order. */
export function blocksOf(path: string): Block[] {
  const document = readFileSync(path, 'utf8');
  return [...document.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language, 2: text, index }) => ({
    language,
    text,
    line: document.slice(0, index).split('\n').length + 1,
  }));
}

/** The commands of a shell block, without comments. */
export const commandsOf = ({ text }: Block): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/\s+# .*$/, '').trim())
    .filter((line) => line !== '');

/** The words of a command. Double quotes hold a word together. */
export const shellWords = (line: string): string[] =>
  (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));

/** How a test runs a line. Without any field the line runs as it stands. */
export interface Way {
  /** Why no test runs it here. */
  readonly not?: string;
  /** A part of the line that is replaced by a smaller budget. */
  readonly replace?: readonly [part: string, by: string];
  /** Options of a smaller budget, which are appended. */
  readonly append?: string;
  /** The line needs MNIST. */
  readonly mnist?: true;
  /** Interrupt the command when its output has this. */
  readonly until?: RegExp;
  /** Files that the README promises. */
  readonly makes?: readonly string[];
}

/**
 * Every shell line of the README. A full training takes minutes, so the test gives it a smaller budget: the options
 * --epochs, --seconds, --steps, --count and --limit exist for that. The data are the same, and so is all other work.
 * `npm run readme:check` runs the lines as they stand.
 */
export const LINES: Readonly<Record<string, Way>> = {
  'npm ci && npm start': { not: 'CI installs and builds. The suite cli-diffusion takes the tour.' },
  'npm test': { not: 'The test is one of its suites.' },
  'npx langevin tour': { not: 'The suite cli-diffusion takes the tour, with smaller data.' },
  'npx langevin sample --model mnist-unet --label 3,1,4,1,5': { append: '--steps 2' },
  'npx langevin train denoiser --data mnist': { mnist: true, append: '--limit 100 --epochs 1' },
  'npx langevin train classifier --data mnist': { mnist: true, append: '--limit 100 --epochs 1' },
  'npx langevin train diffusion --help': {},
  'npx langevin sample --model mnist-unet': { append: '--steps 2 --count 10' },
  'npx langevin sample --model mnist-unet --count 20 --gif': { append: '--steps 2' },
  'npx langevin page': { append: '--port 0 --no-open', until: /The lessons are at http/ },
  'npx langevin models': {},
  'npx langevin inspect mnist-unet': {},
  'npx langevin export --model strokes-unet --to pytorch --examples 2000 --out torch': {
    replace: ['--examples 2000', '--examples 200'],
    makes: ['torch/model.py', 'torch/train.py', 'torch/pictures.npy'],
  },
  'npx langevin export --model strokes-unet --to onnx --out onnx': { makes: ['onnx/model.onnx'] },
  'npx langevin import --weights torch/weights.safetensors --model strokes-unet --out back': {
    makes: ['back/model.safetensors'],
  },
  'npx langevin info': {},
  'npx langevin sde brownian --paths 5 --steps 1000 --time 10': { makes: ['out/brownian.svg'] },
  'npx langevin sde drift --paths 5 --steps 1000 --time 10 --twin': { makes: ['out/drift.svg'] },
  'npx langevin sde gbm --paths 5 --steps 1000 --time 10 --set mu=0.05,sigma=0.2': {
    makes: ['out/gbm.svg'],
  },
  'npx langevin train diffusion --seconds 600': { replace: ['--seconds 600', '--seconds 1 --limit 300'] },
  'npx langevin distill --model strokes-unet --steps 4 --out out/student': {
    append: '--paths 4 --batch-size 4 --epochs 1',
    makes: ['out/student/model.safetensors'],
  },
  'npx langevin sample --model out/student': { append: '--count 10' },
  'npx langevin sample --label 7 --guidance 2 --gif': { append: '--count 9 --steps 5' },
  'npx langevin sample --from digit.png --strength 0.6': { append: '--count 9 --steps 5' },
  'npx langevin sample --from digit.png --inpaint mask.png --label 3 --count 20': {
    append: '--steps 5 --resamples 2',
  },
  'npx langevin sample --count 4000 --save s.npy --quiet': {
    replace: ['--count 4000', '--count 100 --steps 5'],
    makes: ['s.npy', 's.labels.npy'],
  },
  'npx langevin evaluate --samples s.npy --two-sample --score --quiz': {
    not: 'Its classifiers train for minutes. The suite cli-evaluate runs these options on smaller data.',
  },
  'npx langevin export --dtype float16 --sampler heun --steps 18 --out mine --name digits': {
    makes: ['mine/digits.safetensors'],
  },
  'npx langevin toy': { append: '--train-steps 20' },
  'npx langevin schedules --zero-snr': {},
  'npx langevin train diffusion --model unet-tiny --condition caption --out out/captions': {
    append: '--limit 100 --epochs 1 --batch-size 50',
  },
  'npx langevin sample --model out/captions --caption "a thin slanted three|a thick seven leaning left" --attention':
    { append: '--count 4 --steps 2' },
  'npx langevin sample --model mnist-captions --caption "a wide eight" --count 20': { append: '--steps 2' },
  'npx langevin evaluate --model out/captions': {
    not: 'Its judge trains for a minute. The suite captions-obedience measures drawn digits.',
  },
  'npx langevin data photos': { makes: ['out/data.png'] },
  'npx langevin train classifier --data photos --out out/photos': { append: '--epochs 1' },
  'npx langevin train diffusion --data photos --size 32 --model unet-tiny --out out/own': {
    append: '--epochs 1 --batch-size 10',
  },
  'npx langevin sample --model out/own': { append: '--count 4 --steps 2' },
  'npx langevin sample --model mnist-unet --label 7 --count 16': { append: '--steps 2' },
  'npx langevin sample --model mnist-unet --count 4000 --seed bars --save bars.npy': {
    replace: ['--count 4000', '--count 100 --steps 1 --prepare none'],
    makes: ['bars.npy', 'bars.labels.npy'],
  },
  'npx langevin evaluate --samples bars.npy --data mnist --two-sample --score': {
    not: 'Its classifiers train for minutes. The suite cli-evaluate runs these options on smaller data.',
  },
};

/** The line with its smaller budget. */
export const shortened = (line: string, { replace, append }: Way): string =>
  `${replace ? line.replace(...replace) : line} ${append ?? ''}`.trim();

/** The folder of pictures that the README's reader has: `photos`, in two classes and in colour. */
export const writePhotos = (folder: string) =>
  writeClasses(join(folder, 'photos'), ['cats', 'dogs'], 12, (i, label) =>
    disc(i, 40 + i, 40 + 9 * label, 3),
  );

/** The files that the README's reader has: digit.png, a drawn digit, and mask.png, whose left half is white. */
export function ownPictures(): [name: string, png: Uint8Array][] {
  const square = { width: 28, height: 28, channels: 1 } as const;
  const { images } = loadStrokes({ train: 1, test: 0 }).train;
  const mask = Uint8Array.from({ length: 784 }, (_, i) => (i % 28 < 14 ? 255 : 0));
  return [
    ['digit.png', encodePng({ ...square, pixels: images.slice(0, 784) })],
    ['mask.png', encodePng({ ...square, pixels: mask })],
  ];
}
