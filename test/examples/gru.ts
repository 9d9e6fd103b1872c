/**
 * A gated recurrent unit (Cho et al. 2014) with PyTorch's formulas and parameters. It uses public names of langevin
 * only:
 *
 *     r = σ(W_ir·x + b_ir + W_hr·h + b_hr)         z = σ(W_iz·x + b_iz + W_hz·h + b_hz)
 *     n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn))  h' = (1 - z)·n + z·h
 */
import { Linear, Module, type Rng, type Tensor, zeros } from 'langevin';

export class GruCell extends Module {
  /** The weights of the three products with x, stacked in the order r, z, n. */
  readonly input: Linear;
  /** The same for h. */
  readonly hidden: Linear;

  constructor(
    inputs: number,
    readonly size: number,
    rng: Rng,
  ) {
    super();
    this.input = new Linear(inputs, 3 * size, { rng });
    this.hidden = new Linear(size, 3 * size, { rng });
  }

  /** x [batch, inputs] and h [batch, size] to the next h. */
  forward(x: Tensor, h: Tensor): Tensor {
    const [xr, xz, xn] = this.input.forward(x).split(this.size, 1);
    const [hr, hz, hn] = this.hidden.forward(h).split(this.size, 1);
    const r = xr.add(hr).sigmoid();
    const z = xz.add(hz).sigmoid();
    const n = xn.add(r.mul(hn)).tanh();
    return n.add(z.mul(h.sub(n)));
  }

  /** The last h of a sequence [batch, time, inputs], from h = 0. */
  last(sequence: Tensor): Tensor {
    const steps = sequence.split(1, 1).map((x) => x.squeeze(1));
    return steps.reduce((h, x) => this.forward(x, h), zeros([sequence.shape[0], this.size]));
  }
}
