/** Helpers for the tests of several trainers. */
import { createHash } from 'node:crypto';
import * as assert from 'uvu/assert';
import { type Checkpoint, decodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import type { EpochEvent, TrainEvent } from '../src/models/training/events.ts';
import type { Trainer } from '../src/models/training/loop.ts';
import type { Progress } from '../src/models/training/recipe.ts';
import { encodeRun } from '../src/models/training/resume.ts';
import { Rng } from '../src/random/rng.ts';
import type { Tensor } from '../src/tensor/tensor.ts';

/** Runs a training to its end, and returns the events of the epochs. */
export const epochsOf = (events: Iterable<TrainEvent>): EpochEvent[] =>
  [...events].filter((event): event is EpochEvent => event.type === 'epoch');

/** The fields of an event, without the elapsed time. */
export type EventFields = readonly (string | number)[];

/** Trains for at most the given number of steps, and returns the events. */
export function trainFor(run: Trainer, most = Infinity): EventFields[] {
  const events: EventFields[] = [];
  let steps = 0;
  for (const event of run.run()) {
    if (event.type === 'epoch') events.push(['epoch', event.epoch, event.trainLoss, event.testLoss]);
    else events.push([event.epoch, event.batch, event.loss]);
    if (event.type === 'batch' && ++steps >= most) break;
  }
  return events;
}

/** Writes the run's file, and reads it again. */
export const saved = (run: Trainer, resumable = true): Checkpoint =>
  decodeCheckpoint(encodeRun(run, { resumable }), 'run');

/** A hash of a run's file. It does not depend on the elapsed seconds, which differ between runs. */
export function bitsOf({ parameters, training, settings }: Checkpoint): string {
  const { tensors, progress } = training!;
  const { seconds: _, epoch, ...counters } = progress as Omit<Progress, 'seconds'> & { seconds: number };
  const hash = createHash('sha256');
  hash.update(JSON.stringify({ settings, counters, loss: [epoch.loss, epoch.images] }));
  for (const [name, { data }] of [...parameters, ...tensors]) {
    const timed = name === 'history.epochs';
    const kept = timed ? (data as Float64Array).filter((_, i) => i % 5 < 3) : data;
    hash.update(name).update(new Uint8Array(kept.buffer, kept.byteOffset, kept.byteLength));
  }
  return hash.digest('hex');
}

/**
 * Asserts that the gradient of a loss agrees with its slope along a random direction in these parameters, by central
 * differences with the step h. Call it in a scope.
 */
export function assertSlope(parameters: readonly Tensor[], loss: () => Tensor, h: number): void {
  loss().backward();
  const rng = new Rng(5);
  const directions = parameters.map((p) => rng.normal(p.shape));
  const dot = (a: Tensor, b: Tensor) => a.mul(b).sum().item();
  const slope = parameters.reduce((sum, p, i) => sum + dot(p.grad!, directions[i]), 0);
  const at = (step: number) => {
    const before = parameters.map((p) => p.toTypedArray());
    for (const [i, p] of parameters.entries()) p.copyFrom(p.detached().add(directions[i].mul(step)));
    const value = loss().item();
    for (const [i, p] of parameters.entries()) p.set(before[i]);
    return value;
  };
  const measured = (at(h) - at(-h)) / (2 * h);
  assert.ok(Math.abs(measured - slope) < 0.01 * Math.abs(slope), `${measured}, expected ${slope}`);
}
