/**
 * What each kind of model takes and returns in ONNX, and how its forward pass runs for the trace. A picture is
 * [batch, channels, height, width], as in PyTorch. The two MLPs of the lecture know only the number of values of a picture,
 * so they take rows [batch, values]. A time and a label are one number for each picture.
 */
import type { OnnxValue } from '../../checkpoint/onnx.ts';
import type { PictureShape } from '../../data/dataset.ts';
import type { Module } from '../../nn/module.ts';
import { zeros } from '../../tensor/create.ts';
import { cat } from '../../tensor/functions.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { LectureNetwork } from '../lecture/lecture.ts';
import { Denoiser } from '../networks/denoiser.ts';
import { NoiseClassifier } from '../networks/noise-classifier.ts';
import { PictureClassifier } from '../networks/picture-classifier.ts';
import type { PictureDenoiser } from '../networks/picture-denoiser.ts';
import type { AnyModel } from '../open.ts';
import { DiffusionPipeline } from '../pipeline.ts';
import { LABELS, TIMES, TOKENS } from './conditions.ts';
import { diffusionInput, diffusionOutput, networkTimes, noisyPictures, toneNotes } from './meanings.ts';

/** A network, its inputs, and its forward pass. */
export interface Subject {
  readonly module: Module;
  /** The shape of one picture in langevin. */
  readonly picture: readonly number[];
  /** The meaning of the pictures, and of the output. */
  readonly x: string;
  readonly y: string;
  /** The inputs beside the pictures. */
  readonly inputs: readonly OnnxValue[];
  /** How greys and numbers belong together, for the metadata. */
  readonly pixels: string;
  /** The output for pictures. The times are 0, and there are no labels. */
  forward(x: Tensor): Tensor;
}

const times = (meaning: string): OnnxValue => ({ name: TIMES, type: 'double', shape: ['batch'], meaning });

const mapOf = ({ height, width, channels }: PictureShape) => [height, width, channels];

/** Greys of classifiers and denoisers. */
const LINEAR = 'a grey is byte/255';

/** A model that was opened, as ONNX has it. */
export function subjectOf(model: AnyModel): Subject {
  if (model instanceof DiffusionPipeline) return diffusion(model);
  if (model instanceof LectureNetwork) return lecture(model);
  if (model instanceof NoiseClassifier) return noiseClassifier(model);
  const x = model instanceof PictureClassifier ? 'pictures in [0, 1]' : 'noisy pictures';
  const y = model instanceof PictureClassifier ? 'logits of the classes' : 'denoised pictures, in (0, 1)';
  const common = { module: model, inputs: [], pixels: LINEAR, forward: (z: Tensor) => model.forward(z) };
  if (model instanceof Denoiser) {
    return { ...common, y, picture: [model.sizes.inputs], x: `${x} as rows, channels last` };
  }
  const sizes = (model as PictureClassifier | PictureDenoiser).sizes as PictureShape;
  return { ...common, x, y, picture: mapOf(sizes) };
}

const lecture = (model: LectureNetwork): Subject => ({
  module: model,
  picture: [model.dimension],
  x: 'noisy pictures as rows, channels last',
  y: 'the prediction: the rate of change from noisy pictures to the data',
  inputs: [times('times of the schedule, from 0 to 1')],
  pixels: LINEAR,
  forward: (x) => model.forward(cat([x, zeros([x.shape[0], 1])], 1)),
});

const noiseClassifier = (model: NoiseClassifier): Subject => ({
  module: model,
  picture: mapOf(model.sizes),
  x: noisyPictures(model.schedule),
  y: 'logits of the classes',
  inputs: [times(networkTimes(model.schedule))],
  pixels: toneNotes(model.noise),
  forward: (x) => model.forward(x, [0]),
});

function diffusion(model: DiffusionPipeline): Subject {
  const { network, classes, takesCaptions } = model;
  const label: OnnxValue = {
    ...{ name: LABELS, type: 'int64', shape: ['batch'] },
    meaning: `labels from 0 to ${classes - 1}; -1 for no label`,
  };
  return {
    module: network,
    picture: mapOf(network.sizes),
    x: diffusionInput(model),
    y: diffusionOutput(model),
    inputs: [
      times(networkTimes(model.schedule)),
      ...(classes > 0 ? [label] : []),
      ...(takesCaptions ? [captionInput(model)] : []),
    ],
    pixels: toneNotes(model.settings),
    forward: (x) => network.forward(x, [0], {}),
  };
}

/** The tokens of captions. The metadata have the words. */
function captionInput({ network }: DiffusionPipeline): OnnxValue {
  const { words = 0, tokens = 0 } = network.sizes as { words?: number; tokens?: number };
  const none = words + 1;
  return {
    ...{ name: TOKENS, type: 'int64', shape: ['batch', tokens] },
    meaning: `captions: ${words}, then the place of each word in the metadata "words", then ${none}; only ${none} for no caption`,
  };
}
