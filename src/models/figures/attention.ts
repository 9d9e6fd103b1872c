/**
 * Which words each region of a picture attends to. A sample x0 is noised to three times. The network predicts from each
 * noised picture, and the probabilities of its attention to the caption are read, at both maps. For one head
 *
 *     p(pixel, word) = softmax over the tokens of q·k/√d
 *
 * The map of a word is the mean of p over heads, times and maps, at the size of the picture. The start token of a caption
 * has a probability too, which is not drawn. So the maps of the words sum to at most 1 at each pixel.
 *
 * Source: Hertz et al., "Prompt-to-prompt image editing with cross attention control" (2022), section 3.
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import { diffuse } from '../../diffusion/process.ts';
import { ValueError } from '../../errors.ts';
import { exp } from '../../math.ts';
import type { MultiheadAttention } from '../../nn/attention.ts';
import { aroundForward } from '../../nn/hooks.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import { tensor } from '../../tensor/create.ts';
import { linear } from '../../tensor/functions.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { wordsOf } from '../captions/words.ts';
import { UNet } from '../networks/unet.ts';
import type { DiffusionPipeline } from '../pipeline.ts';
import type { Samples } from '../sample-grid.ts';
import type { AttentionFigure } from './attention-figure.ts';

/** The times of the noised pictures, as fractions of the schedule. */
const SHARES = [0.3, 0.5, 0.7];

/**
 * The maps for pictures and their captions.
 * @param pictures [captions.length · height·width], 0 to 1
 * @throws ValueError for a model that is no U-Net with captions, or captions that it does not know
 */
export function attentionFigure(
  model: DiffusionPipeline,
  pictures: Float64Array,
  captions: readonly string[],
  seed: Seed,
): AttentionFigure {
  const { height, width, channels } = model.network.sizes;
  const size = height * width * channels;
  const rows = captions.map((caption, i) => {
    const picture = pictures.slice(i * size, (i + 1) * size);
    return { words: wordsOf(caption), picture, maps: wordMaps(model, picture, caption, seed) };
  });
  return { height, width, rows };
}

/** The maps for the first sample of each caption. @throws as `attentionFigure` */
export function sampleAttention(
  model: DiffusionPipeline,
  { captions = [], pictures, labels }: Samples,
  seed: Seed,
): AttentionFigure {
  const size = pictures.length / labels.length;
  const distinct = [...new Set(captions)].filter((caption) => caption !== null);
  const firsts = distinct.flatMap((caption) => {
    const i = captions.indexOf(caption);
    return Array.from(pictures.subarray(i * size, (i + 1) * size));
  });
  return attentionFigure(model, Float64Array.from(firsts), distinct, seed);
}

/** The map of each word of a caption. */
function wordMaps(
  model: DiffusionPipeline,
  picture: Float64Array,
  caption: string,
  seed: Seed,
): Float64Array[] {
  const { network, schedule } = model;
  const { height, width, channels } = network.sizes;
  const { times, tMin, tMax } = schedule;
  const rng = new Rng(seed).stream('attention');
  const count = wordsOf(caption).length;
  const maps = Array.from({ length: count }, () => new Float64Array(height * width));
  for (const share of SHARES) {
    scope(() =>
      noGrad(() => {
        const t = times ? times[Math.round(share * (times.length - 1))] : tMin + share * (tMax - tMin);
        const x0 = model.encode(tensor(Float32Array.from(picture), [1, height, width, channels]));
        const { x } = diffuse(x0, schedule.level(t), rng);
        for (const { probabilities, tokens } of captionAttention(
          network,
          () => model.predict(x, t, [caption]),
          caption,
        )) {
          // A map at a coarse size: each of its pixels is a square of the picture.
          const pixels = probabilities.length / tokens;
          const factor = Math.sqrt((height * width) / pixels);
          for (let i = 0; i < height * width; i++) {
            const at =
              Math.floor(Math.floor(i / width) / factor) * (width / factor) +
              Math.floor((i % width) / factor);
            for (let w = 0; w < count; w++)
              maps[w][i] += probabilities[at * tokens + w + 1] / (2 * SHARES.length);
          }
        }
      }),
    );
  }
  return maps;
}

/** The probabilities of one attention to a caption, and its result, as it is computed from them. */
export interface CaptionProbabilities {
  /** The number of tokens of the caption, with the start token. */
  readonly tokens: number;
  /** [pixels, tokens], the mean over the heads. */
  readonly probabilities: Float64Array;
  /** [pixels, channels], before the projection of the output. */
  readonly result: Float64Array;
}

/**
 * Runs a prediction for one picture, and reads the attention to its caption: at the deep map, and at the half map.
 * @throws ValueError for a network that is no U-Net with captions
 */
export function captionAttention(
  network: unknown,
  predict: () => unknown,
  caption: string,
): CaptionProbabilities[] {
  const layers = network instanceof UNet ? network.captions : null;
  if (!layers) throw new ValueError('attention: expected a U-Net with captions, got another network');
  const found: CaptionProbabilities[] = [];
  const { tokens } = layers.text.forward([caption], 1);
  const keys = tokens.slice([0, 0], [1, wordsOf(caption).length + 1]);
  const removers = [layers.deep, layers.half].map(({ attention }) =>
    aroundForward('attention', attention, (_, layer) => (run, query) => {
      if (layer === attention) found.push(probabilitiesOf(attention, query, keys));
      return run();
    }),
  );
  try {
    predict();
  } finally {
    for (const remove of removers) remove();
  }
  return found;
}

function probabilitiesOf(attention: MultiheadAttention, query: Tensor, keys: Tensor): CaptionProbabilities {
  const { embedDim, numHeads, in_proj_weight: all, in_proj_bias: bias } = attention;
  const { q_proj_weight, k_proj_weight, v_proj_weight } = attention;
  const matrices = all ? all.split(embedDim) : [q_proj_weight!, k_proj_weight!, v_proj_weight!];
  const biases = bias?.split(embedDim);
  const [q, k, v] = [query, keys, keys].map((x, i) =>
    linear(x, matrices[i], biases?.[i] ?? null).toTypedArray(),
  );
  const [pixels, tokens, d] = [query.shape[1], keys.shape[1], embedDim / numHeads];
  const probabilities = new Float64Array(pixels * tokens);
  const result = new Float64Array(pixels * embedDim);
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let head = 0; head < numHeads; head++) {
      const from = head * d;
      const scores = Array.from({ length: tokens }, (_, token) => {
        let sum = 0;
        for (let c = from; c < from + d; c++) sum += q[pixel * embedDim + c] * k[token * embedDim + c];
        return sum / Math.sqrt(d);
      });
      const top = Math.max(...scores);
      const weights = scores.map((score) => exp(score - top));
      const total = weights.reduce((a, b) => a + b, 0);
      for (const [token, weight] of weights.entries()) {
        const p = weight / total;
        probabilities[pixel * tokens + token] += p / numHeads;
        for (let c = from; c < from + d; c++) result[pixel * embedDim + c] += p * v[token * embedDim + c];
      }
    }
  return { tokens, probabilities, result };
}
