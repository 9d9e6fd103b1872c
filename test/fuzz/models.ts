/** Model files with changed metadata, headers and tensors, and the readers of models and of runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { backend } from '../../src/backend/backend.ts';
import { concatBytes } from '../../src/bytes.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { loadStrokes } from '../../src/data/strokes-set.ts';
import { LectureNetwork } from '../../src/models/lecture/lecture.ts';
import { DiffusionMlp } from '../../src/models/networks/diffusion-mlp.ts';
import { MODEL_KINDS, openModel } from '../../src/models/open.ts';
import { DiffusionPipeline, diffusionInfo } from '../../src/models/pipeline.ts';
import {
  DIFFUSION_SETTINGS,
  diffusionTrainer,
  resumeDiffusion,
} from '../../src/models/training/diffusion.ts';
import { encodeRun } from '../../src/models/training/resume.ts';
import { Rng } from '../../src/random/rng.ts';
import { changeBytes, changeJson, changeText } from './mutate.ts';
import type { Choices } from './random.ts';

const PROCESS = { schedule: 'cosine', steps: 10, predicts: 'x0' } as const;
const strokes = loadStrokes({ train: 4, test: 2 });
const mlp = () => new DiffusionMlp({ hidden: 2, inner: 2, depth: 1, condition: 2, rng: new Rng(0) });

/** A model, another one, a run, and a model of version 0.1.0. */
function makeFiles(): Uint8Array[] {
  const [network, lecture] = [mlp(), new LectureNetwork(784, 2)];
  const pipeline = new DiffusionPipeline(network, PROCESS);
  const model = encodeCheckpoint(network, diffusionInfo(pipeline, { tones: [] }));
  const other = encodeCheckpoint(lecture, { kind: 'lecture', sizes: { inputs: 784, hidden: 2 } });
  const trainer = diffusionTrainer(pipeline, strokes, {
    ...{ ...DIFFUSION_SETTINGS, ...PROCESS },
    ...{ epochs: 2, batchSize: 2, seed: 1 },
  });
  trainer.run().next();
  // The measured time differs from run to run, and an input is a function of the seed alone.
  const { progress } = trainer;
  trainer.seek({ ...progress, seconds: 0, epoch: { ...progress.epoch, seconds: 0 } });
  const run = encodeRun(trainer, { resumable: true, run: 'fuzz' });
  trainer.dispose();
  network.dispose();
  lecture.dispose();
  return [model, other, run, readFileSync(join('test', 'files', 'v0.1.0', 'denoiser', 'model.safetensors'))];
}
let files: readonly Uint8Array[] | undefined;

const WORDS = [
  ...MODEL_KINDS,
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '"sizes"',
  'F16',
  'BF16',
  'I64',
  'data_offsets',
];

/** The value of a text of JSON, or undefined. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The header of a file as JSON, changed within: the metadata in half of the cases, which contain JSON themselves. */
function changeHeader(header: Record<string, unknown>, r: Choices): unknown {
  const metadata = header.__metadata__ as Record<string, string> | undefined;
  const names = Object.keys(metadata ?? {});
  if (!metadata || names.length === 0 || r.has(0.5)) return changeJson(header, r);
  const name = r.oneOf(names);
  const entry: unknown = metadata[name]; // a text, unless a change before made it something else
  const text = typeof entry === 'string' ? entry : JSON.stringify(entry);
  const value = r.has(0.8) ? jsonOf(text) : undefined;
  const changed = value === undefined ? changeText(text, r, WORDS) : JSON.stringify(changeJson(value, r));
  return { ...header, __metadata__: { ...metadata, [name]: changed } };
}

/** A safetensors file: a model or a run with changes in its header, and with some in its bytes. */
export function changedModel(r: Choices): Uint8Array<ArrayBuffer> {
  files ??= makeFiles();
  const file = r.oneOf(files);
  if (r.has(0.1)) return changeBytes(file, r);
  const start = 8 + Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true));
  let header: unknown = JSON.parse(new TextDecoder().decode(file.subarray(8, start)));
  for (let left = 1 + r.below(2); left > 0; left--) {
    if (typeof header === 'object' && header !== null && !Array.isArray(header))
      header = changeHeader(header as Record<string, unknown>, r);
  }
  let text = JSON.stringify(header);
  if (r.has(0.1)) text = changeText(text, r, WORDS);
  const json = new TextEncoder().encode(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  const whole = concatBytes([length, json, file.subarray(start)]);
  return r.has(0.9) ? whole : changeBytes(whole, r);
}

/** Opens the model in a checkpoint, and resumes its run if it has one. @throws Error if memory stays in use */
export function openCheckpoint(bytes: Uint8Array): void {
  const checkpoint: Checkpoint = decodeCheckpoint(bytes, 'fuzz.safetensors');
  const { heap } = backend();
  files ??= makeFiles(); // The first model reserves memory that stays: it is reserved before the blocks are counted.
  const before = heap.blocks;
  const requireFreed = () => {
    if (heap.blocks > before) throw new Error(`expected ${before} blocks on the heap, got ${heap.blocks}`);
  };
  try {
    const model = openModel(checkpoint);
    (model instanceof DiffusionPipeline ? model.network : model).dispose();
  } catch (error) {
    requireFreed();
    throw error;
  }
  requireFreed();
  if (checkpoint.training) resumed(checkpoint);
}

/** Resumes the run and takes one step. */
function resumed(checkpoint: Checkpoint): void {
  const trainer = resumeDiffusion(checkpoint, strokes);
  try {
    trainer.run().next();
  } finally {
    trainer.recipe.module.dispose();
    trainer.dispose();
  }
}
