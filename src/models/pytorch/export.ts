/**
 * Exports a model to a folder for PyTorch:
 *
 *     model.py              the network as a PyTorch module, and a reader of safetensors files; needs torch alone
 *     weights.safetensors   the weights in PyTorch's layouts, and the state of the training if there is one
 *     process.py            for diffusion models: the noise process
 *     sample.py             a script that uses the model
 *     train.py              a script that trains the model on, in one process or in several; not for students
 *     pictures.npy, labels.npy   with data: the training pictures as bytes
 *
 * weights.safetensors is also a file of langevin: flat-maps.ts says how its layouts are read back. Names of weights are the
 * same in both. Left out on purpose: networks that take captions, learn a variance, or classify noised pictures.
 */
import { type Checkpoint, convertCheckpoint, decodeCheckpoint } from '../../checkpoint/checkpoint.ts';
import { tensorsDigest } from '../../checkpoint/digest.ts';
import { MODEL_DTYPES, type ModelDtype } from '../../checkpoint/model-dtype.ts';
import { parseHeader } from '../../checkpoint/safetensors-header.ts';
import type { Dataset } from '../../data/dataset.ts';
import { encodeNpy } from '../../data/npy.ts';
import { ValueError } from '../../errors.ts';
import type { Module } from '../../nn/module.ts';
import { oneOf, withDefaults } from '../../options.ts';
import { VERSION } from '../../version.ts';
import { openModel } from '../open.ts';
import { DiffusionPipeline } from '../pipeline.ts';
import { portable } from '../portable.ts';
import { DENOISER_SETTINGS } from '../training/denoiser.ts';
import { LECTURE_SETTINGS } from '../training/lecture.ts';
import { filledSettings } from '../training/resume.ts';
import { type Sizes, TORCH_KINDS, type TorchKind } from './kinds.ts';
import { processSource } from './process.ts';
import { constants, pythonFile, READER } from './python.ts';
import { type ExportData, runFor } from './run.ts';
import {
  classifierSampleSource,
  denoiserSampleSource,
  diffusionSampleSource,
  lectureSampleSource,
} from './sample.ts';
import { trainSource } from './train.ts';
import { torchTraining } from './training.ts';

/** A file of the folder for PyTorch. */
export interface PytorchFile {
  /** The name in the folder. */
  readonly name: string;
  /** A short description. */
  readonly what: string;
  /** The content. */
  readonly bytes: Uint8Array;
}

/** Options of `exportPytorch`. */
export interface ExportPytorchOptions {
  /** The type of the weights. Default `float32`. */
  readonly dtype?: ModelDtype;
  /** Pictures for train.py to train on. Default: none. */
  readonly data?: ExportData | undefined;
}

const WEIGHTS = 'weights.safetensors';

/**
 * The files of a folder in which a model runs in PyTorch without langevin: `model.py` with the network as a readable
 * module, `weights.safetensors`, `sample.py`, and `train.py`, which trains on. The digest is the SHA-256 of the tensors,
 * from `tensorsDigest`. The file with the weights is also one of langevin.
 *
 * The kinds are the MLP and the U-Net of diffusion, denoisers, classifiers and the lecture's model.
 * @param checkpoint a model's file, from `loadCheckpoint` or `decodeCheckpoint`
 * @throws ValueError for a model that cannot be exported, such as one with captions or a learnt variance, and for data
 * that do not fit it
 * @throws FormatError for a file whose tensors do not fit its kind
 */
export function exportPytorch(
  checkpoint: Checkpoint,
  options: ExportPytorchOptions = {},
): Promise<{ readonly files: readonly PytorchFile[]; readonly digest: string }> {
  const { dtype, data } = withDefaults('exportPytorch', options, { dtype: 'float32', data: undefined });
  return exported(
    { ...checkpoint, settings: portable(checkpoint.settings) },
    oneOf('dtype', MODEL_DTYPES, dtype),
    data,
  );
}

async function exported(checkpoint: Checkpoint, dtype: ModelDtype, data: ExportData | undefined) {
  const kind = torchKindOf(checkpoint);
  const opened = openModel(checkpoint);
  const pipeline = opened instanceof DiffusionPipeline ? opened : undefined;
  const module: Module = pipeline?.network ?? (opened as Module);
  try {
    if (pipeline) requireExportable(pipeline);
    const sizes = sizesOf(checkpoint, pipeline);
    const { training, settings } = runFor(checkpoint, kind.task, data);
    const options = { dtype, settings, training, flattened: kind.flatMaps(sizes) };
    const digest = await tensorsDigest(convertCheckpoint(checkpoint, options), checkpoint.source);
    const weights = convertCheckpoint(checkpoint, { ...options, digest });
    const written = decodeCheckpoint(weights, checkpoint.source);
    const sources = sourcesOf(written, kind, sizes, pipeline, weights);
    const encoder = new TextEncoder();
    const files = [
      ...sources.map(([name, what, text]) => ({ name, what, bytes: encoder.encode(text) })),
      { name: WEIGHTS, what: `the weights in ${dtype}`, bytes: weights },
      ...(data ? pictureFiles(data.train) : []),
    ];
    return { files, digest };
  } finally {
    module.dispose();
  }
}

/** The entry of a model's kind. @throws ValueError for a kind that cannot be exported */
export function torchKindOf({ kind }: Checkpoint): TorchKind {
  const found = TORCH_KINDS.get(kind);
  if (found) return found;
  throw new ValueError(`pytorch: expected a model of ${[...TORCH_KINDS.keys()].join(', ')}, got ${kind}`);
}

/** @throws ValueError for a diffusion model that cannot be exported */
export function requireExportable({ network, takesCaptions }: DiffusionPipeline): void {
  if (takesCaptions)
    throw new ValueError('pytorch: expected a model without captions, got one with captions');
  if (network.learnsVariance) {
    throw new ValueError('pytorch: expected a model with a fixed variance, got one with a learnt variance');
  }
}

/** The sizes with their defaults. */
const sizesOf = (checkpoint: Checkpoint, pipeline: DiffusionPipeline | undefined): Sizes =>
  pipeline ? { ...pipeline.network.sizes } : { channels: 1, ...checkpoint.sizes };

type Source = readonly [name: string, what: string, text: string];

function sourcesOf(
  checkpoint: Checkpoint,
  kind: TorchKind,
  sizes: Sizes,
  pipeline: DiffusionPipeline | undefined,
  weights: Uint8Array,
): Source[] {
  const train: Source[] = pipeline?.settings.student
    ? []
    : [['train.py', 'a script that trains on', trainSource(torchTraining(checkpoint, kind))]];
  const model: Source = [
    'model.py',
    'the network as a PyTorch module',
    modelSource(checkpoint, kind, sizes, weights),
  ];
  const use = (text: string): Source => ['sample.py', 'a script that uses the model', text];
  switch (kind.task) {
    case 'diffusion':
      return [
        model,
        ['process.py', 'the noise process', processSource(pipeline!)],
        ['sample.py', 'a script that samples', diffusionSampleSource(pipeline!)],
        ...train,
      ];
    case 'lecture':
      return [
        model,
        use(lectureSampleSource(filledSettings(checkpoint, LECTURE_SETTINGS).schedule)),
        ...train,
      ];
    case 'denoiser':
      return [
        model,
        use(
          denoiserSampleSource(
            filledSettings(checkpoint, DENOISER_SETTINGS).noise,
            kind.channelsLast ?? false,
          ),
        ),
        ...train,
      ];
    case 'classifier':
      return [model, use(classifierSampleSource()), ...train];
  }
}

/** The names and the shapes of the weights, as they are in PyTorch. */
function weightsTable(weights: Uint8Array): string {
  const { entries } = parseHeader(weights, WEIGHTS);
  const rows = entries.filter(({ name }) => !name.startsWith('training.'));
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, shape }) => `    ${name.padEnd(width)}  [${shape.join(', ')}]`).join('\n');
}

/** The source of model.py. */
function modelSource({ kind }: Checkpoint, { source }: TorchKind, sizes: Sizes, weights: Uint8Array): string {
  return pythonFile(
    `
"""
A network of the kind ${kind}, written by langevin ${VERSION}. It needs torch alone.

    from model import load
    network = load()

The names of the weights are those of langevin, and the layouts are those of PyTorch:

${weightsTable(weights)}
"""
import json
import os
import struct

import torch
import torch.nn.functional as F
from torch import nn

${constants(sizes)}
WEIGHTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "${WEIGHTS}")
`,
    source(sizes),
    READER,
  );
}

/** The training pictures and their labels, as bytes. */
function pictureFiles({ images, labels, length, height, width, channels }: Dataset): PytorchFile[] {
  const shape = channels === 1 ? [length, height, width] : [length, height, width, channels];
  return [
    { name: 'pictures.npy', what: `${length} training pictures`, bytes: encodeNpy(images, shape) },
    { name: 'labels.npy', what: 'their labels', bytes: encodeNpy(labels, [length]) },
  ];
}
