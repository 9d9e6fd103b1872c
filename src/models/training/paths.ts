/**
 * Paths of a teacher from noise to data, as the training set of a student. A path begins at noise, and the teacher samples
 * along it with its guidance and in small steps. The set keeps the states at the student's levels:
 *
 *     states [steps + 1, paths, height, width, channels], labels [paths]
 *
 * An epoch uses each path once, with one of its intervals. The intervals take turns within a batch, so that each batch has
 * equally many of each. The order of the paths is random, so a path gives other intervals in other epochs. From epoch to
 * epoch the turns begin with the next interval.
 *
 * Paths are drawn when a batch needs them, a block of `batchSize` paths at once, and are kept. In the first epoch the order
 * is that of the blocks. A block is a pure function of the teacher, the seed and its number. So a resumed run draws the
 * same paths again, and has the same bits.
 *
 * A teacher in small steps uses Heun's method. A teacher that is itself a student uses its own few steps, for which its
 * guidance is 1. No training pictures are needed: the states are those that the teacher visits.
 */
import { scope } from '../../autograd/tape.ts';
import { pictureSize } from '../../data/dataset.ts';
import type { Batch, LoaderPosition } from '../../data/loader.ts';
import { type Order, orderOf } from '../../data/order.ts';
import { type FineLevels, fewStepLevels, fineLevels } from '../../diffusion/few-steps.ts';
import type { Labels } from '../../diffusion/guidance.ts';
import type { NoiseLevel } from '../../diffusion/level.ts';
import { createSampler, startNoise } from '../../diffusion/samplers/index.ts';
import { ValueError } from '../../errors.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { DiffusionPipeline } from '../pipeline.ts';
import { guidedPredictor, labelsInTurn } from '../sample.ts';
import type { Source } from './recipe.ts';

/** How the teacher samples. */
export interface TeacherSampling {
  /** Steps of the teacher from noise to data: a multiple of the student's. */
  readonly teacherSteps: number;
  /** The scale of classifier-free guidance. */
  readonly guidance: number;
  /** The smallest sigma/alpha at which a scale above 1 is applied. 0 sets no lower limit. */
  readonly guidanceAbove: number;
  /** The largest sigma/alpha at which a scale above 1 is applied. 0 sets no upper limit. */
  readonly guidanceBelow: number;
}

/** States of paths at the student's levels. */
export interface PathBlock {
  /** [steps + 1], each [paths·height·width·channels]. */
  readonly states: readonly Float32Array[];
  /** The label of each path, or null for a teacher without labels. */
  readonly labels: Labels;
}

/** A batch of intervals: `images` are the states at their beginning, in the network's tones. */
export interface IntervalBatch extends Batch {
  /** The states at the end of the intervals, [b, height, width, channels]. */
  readonly ends: Tensor;
  /** The interval of each state: interval k is from level k to level k + 1. */
  readonly intervals: readonly number[];
  /** The label of each state, or null for a teacher without labels. */
  readonly known: Labels;
}

/** @throws ValueError for steps of the teacher that do not fit the student's steps, or the teacher */
export function requireTeacherSteps(
  { settings }: DiffusionPipeline,
  steps: number,
  teacherSteps: number,
): void {
  const own = settings.student ?? 0;
  if (own > 0 && teacherSteps !== own) {
    throw new ValueError(
      `teacher-steps: expected ${own}, the steps of the teacher, which is a student itself, got ${teacherSteps}`,
    );
  }
  if (teacherSteps % steps === 0 && teacherSteps > steps) return;
  const more = `a multiple of the student's ${steps}, and more than ${steps}`;
  throw new ValueError(`teacher-steps: expected ${more}, got ${teacherSteps}`);
}

/** Draws paths of a teacher. */
export class Paths {
  /** The levels of the student, steps + 1. */
  readonly levels: readonly NoiseLevel[];
  private readonly fine: FineLevels;

  /** @throws ValueError for steps of teacher and student that do not fit each other or the schedule */
  constructor(
    /** The model that samples the paths. */
    readonly teacher: DiffusionPipeline,
    /** The number of intervals of a path. */
    readonly steps: number,
    private readonly sampling: TeacherSampling,
  ) {
    const { schedule, settings } = teacher;
    const { teacherSteps } = sampling;
    requireTeacherSteps(teacher, steps, teacherSteps);
    this.levels = fewStepLevels(schedule, steps);
    const inner = teacherSteps / steps;
    this.fine = fineLevels(schedule, steps, inner, !settings.student);
  }

  /** Draws a path for each of `count` labels, each class in turn. */
  draw(count: number, rng: Rng): PathBlock {
    const { teacher, fine, sampling } = this;
    const { height, width, channels } = teacher.network.sizes;
    const { teacherSteps: _, ...guidance } = sampling;
    const labels = labelsInTurn(teacher, count);
    const predictor = guidedPredictor(teacher, labels, { ...guidance, classifier: undefined });
    const sampler = createSampler(teacher.settings.student ? 'euler' : 'heun', {
      levels: fine.levels,
      threshold: 'clip',
    });
    return scope(() => {
      const noise = startNoise(teacher.schedule, [count, height, width, channels], rng);
      const states = [Float32Array.from(noise.toTypedArray())];
      const run = sampler.sample(predictor, teacher.schedule, noise, rng);
      for (;;) {
        const { done, value } = run.next();
        if (done) {
          value.dispose();
          return { states, labels };
        }
        if (fine.marks.includes(value.step)) states.push(Float32Array.from(value.x.toTypedArray()));
      }
    });
  }
}

/** The batches of a distillation, as described at the top of this file. */
export class PathSource implements Source {
  readonly dataset: { readonly name: string; readonly length: number };
  readonly batches: number;
  private readonly order: Order;
  private readonly blocks: PathBlock[] = [];
  private current: { readonly epoch: number; readonly indices: Uint32Array } | null = null;
  private epoch = 0;
  private batch = 0;

  constructor(
    readonly paths: Paths,
    length: number,
    readonly batchSize: number,
    private readonly seed: Seed,
  ) {
    this.dataset = { name: 'paths of the teacher', length };
    this.batches = Math.ceil(length / batchSize);
    this.order = orderOf(length, { batchSize, seed, weights: undefined, stratify: undefined });
  }

  get position(): LoaderPosition {
    return { epoch: this.epoch, batch: this.batch };
  }

  /** @throws ValueError if there is no such batch */
  seek({ epoch, batch }: LoaderPosition): void {
    const isPlace = Number.isSafeInteger(epoch) && epoch >= 0 && Number.isInteger(batch) && batch >= 0;
    if (!isPlace || batch >= this.batches) {
      throw new ValueError(
        `paths: expected an epoch, and a batch from 0 to ${this.batches - 1}, got ${epoch} and ${batch}`,
      );
    }
    [this.epoch, this.batch] = [epoch, batch];
  }

  next(): IntervalBatch {
    const { batchSize, epoch } = this;
    const { steps } = this.paths;
    const start = this.batch * batchSize;
    const indices = this.indicesOf(epoch).subarray(start, start + batchSize);
    if (++this.batch === this.batches) [this.epoch, this.batch] = [epoch + 1, 0];
    return this.read(indices, (i) => (i + epoch) % steps);
  }

  /** The paths of an epoch in their order. */
  private indicesOf(epoch: number): Uint32Array {
    if (this.current?.epoch !== epoch) {
      const indices =
        epoch > 0 ? this.order(epoch) : Uint32Array.from({ length: this.dataset.length }, (_, i) => i);
      this.current = { epoch, indices };
    }
    return this.current.indices;
  }

  /** @param intervalOf the interval for each place in the batch */
  private read(indices: Uint32Array, intervalOf: (i: number) => number): IntervalBatch {
    const { sizes } = this.paths.teacher.network;
    const size = pictureSize(sizes);
    const n = indices.length;
    const [from, to] = [new Float32Array(n * size), new Float32Array(n * size)];
    const intervals = Array.from(indices, (_, i) => intervalOf(i));
    const known = Array.from(indices, (path, i) => {
      const { states, labels } = this.block(Math.floor(path / this.batchSize));
      const place = path % this.batchSize;
      const state = (k: number) => states[k].subarray(place * size, (place + 1) * size);
      from.set(state(intervals[i]), i * size);
      to.set(state(intervals[i] + 1), i * size);
      return labels[place];
    });
    const shape = [n, sizes.height, sizes.width, sizes.channels];
    const labels = Uint8Array.from(known, (label) => label ?? 0);
    return { images: tensor(from, shape), ends: tensor(to, shape), labels, intervals, known };
  }

  private block(number: number): PathBlock {
    const count = Math.min(this.batchSize, this.dataset.length - number * this.batchSize);
    this.blocks[number] ??= this.paths.draw(count, new Rng(this.seed).stream(`paths ${number}`));
    return this.blocks[number];
  }
}
