/**
 * A transformer block (Vaswani et al. 2017, with the normalisation first) and a small language model of such blocks.
 * They use public names of langevin only. Tokens [batch, time] give logits [batch, time, tokens]. The logits at a
 * position depend on the tokens up to this position.
 */
import {
  Dropout,
  Embedding,
  full,
  GELU,
  LayerNorm,
  Linear,
  Module,
  ones,
  type Rng,
  Sequential,
  type Tensor,
  where,
} from 'langevin';

/** Causal attention with several heads: each position attends to itself and to earlier ones. */
export class CausalSelfAttention extends Module {
  readonly project: Linear;
  readonly output: Linear;

  constructor(
    readonly width: number,
    readonly heads: number,
    rng: Rng,
  ) {
    super();
    this.project = new Linear(width, 3 * width, { rng });
    this.output = new Linear(width, width, { rng });
  }

  /** [batch, time, width] to the same. */
  forward(x: Tensor): Tensor {
    const [batch, time, width] = x.shape;
    const size = width / this.heads;
    // [batch, time, 3·width] to three of [batch, heads, time, size]
    const [q, k, v] = this.project
      .forward(x)
      .split(width, 2)
      .map((part) => part.reshape(batch, time, this.heads, size).transpose(0, 2, 1, 3));
    const scores = q.matmul(k, { bT: true }).mul(1 / Math.sqrt(size));
    const past = ones([time, time]).tril();
    const weights = where(past, scores, full([], -Infinity)).softmax();
    return this.output.forward(weights.matmul(v).transpose(0, 2, 1, 3).reshape(batch, time, width));
  }
}

export class TransformerBlock extends Module {
  readonly norm1: LayerNorm;
  readonly attention: CausalSelfAttention;
  readonly norm2: LayerNorm;
  readonly mlp: Sequential;

  constructor(width: number, heads: number, rng: Rng) {
    super();
    this.norm1 = new LayerNorm(width);
    this.attention = new CausalSelfAttention(width, heads, rng);
    this.norm2 = new LayerNorm(width);
    this.mlp = new Sequential(
      new Linear(width, 4 * width, { rng }),
      new GELU(),
      new Linear(4 * width, width, { rng }),
      new Dropout(0.1, { rng }),
    );
  }

  forward(x: Tensor): Tensor {
    const y = x.add(this.attention.forward(this.norm1.forward(x)));
    return y.add(this.mlp.forward(this.norm2.forward(y)));
  }
}

export class LanguageModel extends Module {
  readonly token: Embedding;
  readonly place: Embedding;
  readonly block: TransformerBlock;
  readonly norm: LayerNorm;
  readonly head: Linear;

  constructor(tokens: number, time: number, width: number, heads: number, rng: Rng) {
    super();
    this.token = new Embedding(tokens, width, { rng });
    this.place = new Embedding(time, width, { rng });
    this.block = new TransformerBlock(width, heads, rng);
    this.norm = new LayerNorm(width);
    this.head = new Linear(width, tokens, { rng });
  }

  forward(tokens: number[][]): Tensor {
    const places = tokens[0].map((_, i) => i);
    const x = this.token.forward(tokens).add(this.place.forward(places));
    return this.head.forward(this.norm.forward(this.block.forward(x)));
  }
}
