/** The table of the kinds of models that can be exported to PyTorch. A new kind is one entry. */
import type { FlatMap, FlatMaps } from '../../checkpoint/flat-maps.ts';
import { LectureNetwork } from '../lecture/lecture.ts';
import { Classifier } from '../networks/classifier.ts';
import { ConvClassifier } from '../networks/conv-classifier.ts';
import { ConvDenoiser } from '../networks/conv-denoiser.ts';
import { Denoiser } from '../networks/denoiser.ts';
import { DiffusionMlp } from '../networks/diffusion-mlp.ts';
import { UNet } from '../networks/unet.ts';
import { convClassifierSource, convDenoiserSource, unetSource } from './convolutional.ts';
import { classifierSource, denoiserSource, diffusionMlpSource, lectureSource } from './mlps.ts';

/** The sizes in a model's file. All kinds have whole numbers only. */
export type Sizes = Readonly<Record<string, number>>;

/** What a model does. It determines the scripts beside the network. */
export type Task = 'diffusion' | 'denoiser' | 'lecture' | 'classifier';

/** How one kind of model is written as a PyTorch module. */
export interface TorchKind {
  readonly task: Task;
  /** Whether the network takes pictures with their channels last. Its rows have them in this order. Default false. */
  readonly channelsLast?: boolean;
  /** The classes of its module in Python. The last one is `Network`. The sizes are constants in capital letters. */
  source(sizes: Sizes): string;
  /** The axes of its tensors that are flattened maps. */
  flatMaps(sizes: Sizes): FlatMaps;
}

/** The flattened axes. Without several channels there is nothing to reorder. */
function flattened(axes: Readonly<Record<string, number>>, map: readonly [number, number, number]): FlatMaps {
  if (map[2] === 1) return {};
  return Object.fromEntries(
    Object.entries(axes).map(([name, axis]): [string, FlatMap] => [name, [axis, ...map]]),
  );
}

const none = () => ({});
const quarter = (side: number) => Math.ceil(side / 4);
const classesOf = ({ classes = 0 }: Sizes) => ({ classes });

/** The kinds by their names in files. */
export const TORCH_KINDS: ReadonlyMap<string, TorchKind> = new Map<string, TorchKind>([
  [Denoiser.kind, { task: 'denoiser', channelsLast: true, source: denoiserSource, flatMaps: none }],
  [ConvDenoiser.kind, { task: 'denoiser', source: convDenoiserSource, flatMaps: none }],
  [LectureNetwork.kind, { task: 'lecture', channelsLast: true, source: lectureSource, flatMaps: none }],
  [
    Classifier.kind,
    {
      task: 'classifier',
      source: classifierSource,
      flatMaps: ({ height, width, channels }) => flattened({ 'first.weight': 1 }, [height, width, channels]),
    },
  ],
  [
    ConvClassifier.kind,
    {
      task: 'classifier',
      source: convClassifierSource,
      flatMaps: ({ height, width }) =>
        flattened({ 'dense.weight': 1 }, [quarter(height), quarter(width), 64]),
    },
  ],
  [
    DiffusionMlp.kind,
    {
      task: 'diffusion',
      source: (sizes) => diffusionMlpSource(classesOf(sizes)),
      flatMaps: ({ height, width, channels }) =>
        flattened({ 'input.weight': 1, 'output.weight': 0, 'output.bias': 0 }, [height, width, channels]),
    },
  ],
  [UNet.kind, { task: 'diffusion', source: (sizes) => unetSource(classesOf(sizes)), flatMaps: none }],
]);
