/**
 * A network of your own, saved to a file and loaded again. A class that extends `Layer` says how it computes. Its
 * properties that are layers or tensors with gradients are its parameters, and their names are the names in the file.
 */
import {
  Layer,
  Linear,
  loadCheckpoint,
  Rng,
  restoreParameters,
  saveCheckpoint,
  scope,
  type Tensor,
  tensor,
} from 'langevin';

/** y = x + B·tanh(A·x)·scale: a residual block with a learnt scale. */
class Residual extends Layer {
  readonly a: Linear;
  readonly b: Linear;
  readonly scale = tensor(0.1, { requiresGrad: true });

  constructor(
    readonly width: number,
    rng?: Rng,
  ) {
    super();
    this.a = new Linear(width, width, rng ? { rng } : {});
    this.b = new Linear(width, width, rng ? { rng } : {});
  }

  override forward(x: Tensor): Tensor {
    return x.add(this.b.forward(this.a.forward(x).tanh()).mul(this.scale));
  }
}

const saved = new Residual(4, new Rng(1));
await saveCheckpoint('residual.safetensors', saved, { kind: 'residual', sizes: { width: saved.width } });

// The file has the kind and the sizes, so a program that knows the class can make a network of the right size.
const file = await loadCheckpoint('residual.safetensors');
const loaded = new Residual(Number(file.sizes.width));
restoreParameters(loaded, file);

console.log(
  `parameters: ${loaded
    .namedParameters()
    .map(([name]) => name)
    .join(', ')}`,
);
scope(() => {
  const x = new Rng(2).normal([3, 4]);
  const difference = saved.forward(x).sub(loaded.forward(x)).abs().max().item();
  console.log(`largest difference: ${difference}`);
});
