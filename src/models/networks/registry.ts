/** The networks of diffusion models by kind: a new one is one line of the table. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { entryOf, readModel } from '../../checkpoint/model-format.ts';
import { DIFFUSION_MLP_FORMAT } from './diffusion-mlp.ts';
import type { DiffusionNetwork } from './diffusion-network.ts';

/** From a kind to what reads its file. */
const LOADERS: ReadonlyMap<string, (checkpoint: Checkpoint) => DiffusionNetwork> = new Map([
  [DIFFUSION_MLP_FORMAT.kind, (checkpoint: Checkpoint) => readModel(checkpoint, DIFFUSION_MLP_FORMAT)],
]);

/** The kinds of networks that diffusion models may have. */
export const DIFFUSION_KINDS: readonly string[] = [...LOADERS.keys()];

/** The network in a file that was read. @throws FormatError for a file of anything else, or one that does not fit */
export function diffusionNetworkOf(checkpoint: Checkpoint): DiffusionNetwork {
  return entryOf(checkpoint, LOADERS)(checkpoint);
}
