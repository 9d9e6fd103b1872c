/** Dropout as a layer. It is active in training (`train()`), and the identity in evaluation (`eval()`). */
import { withDefaults } from '../options.ts';
import { type Rng, sharedRng } from '../random/rng.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkProbability, dropout } from './functional.ts';
import { Layer } from './module.ts';

/** In training, sets each element to 0 with probability p, and multiplies the others by 1/(1 - p); see `dropout`. */
export class Dropout extends Layer {
  /** Not part of the model's state. */
  readonly #rng: Rng;

  /**
   * @param p the probability that an element becomes 0
   * @param options `rng`: the generator that selects the elements
   * @throws ValueError unless 0 <= p <= 1
   */
  constructor(
    readonly p = 0.5,
    options: { readonly rng?: Rng } = {},
  ) {
    super();
    checkProbability('Dropout', p);
    this.#rng = withDefaults('Dropout', options, { rng: sharedRng() }).rng;
  }

  /** In training some elements are 0 and the others are multiplied by 1/(1 - p). In evaluation the result is x. */
  override forward(x: Tensor): Tensor {
    return dropout(x, this.p, { training: this.training, rng: this.#rng });
  }
}
