/**
 * Gaussian process regression (Rasmussen and Williams 2006, algorithm 2.1) with a squared exponential kernel. It uses
 * public names of langevin only. Tensor operators compute the Cholesky factor column by column. So the gradient of the
 * marginal likelihood flows through it to the kernel's parameters.
 */
import { cat, eye, Module, stack, type Tensor, tensor } from 'langevin';

/** The lower triangular L with L·Lᵀ = A, for A [n, n] symmetric and positive definite. */
export function cholesky(a: Tensor): Tensor {
  const n = a.shape[0];
  const columns: Tensor[] = [];
  for (let j = 0; j < n; j++) {
    // Column j minus the contributions of the earlier columns, from the diagonal down.
    let rest = a.slice([j, j], [n, j + 1]).flatten();
    if (j > 0) {
      const before = stack(columns, 1).slice([j]);
      rest = rest.sub(before.matmul(before.slice([0], [1]).flatten()));
    }
    const column = rest.div(rest.slice([0], [1]).sqrt());
    columns.push(cat([tensor(new Float32Array(j), [j]), column]));
  }
  return stack(columns, 1);
}

/** x [n] with L·x = b, or Lᵀ·x = b if `transposed`, for a lower triangular L [n, n]. */
export function solveTriangular(l: Tensor, b: Tensor, transposed = false): Tensor {
  const n = b.size;
  const found: Tensor[] = [];
  for (let step = 0; step < n; step++) {
    const i = transposed ? n - 1 - step : step;
    const diagonal = l.slice([i, i], [i + 1, i + 1]).flatten();
    let rest = b.slice([i], [i + 1]);
    if (step > 0) {
      const row = transposed ? l.slice([i + 1, i], [n, i + 1]) : l.slice([i, 0], [i + 1, i]);
      const known = transposed ? cat(found.toReversed()) : cat(found);
      rest = rest.sub(row.flatten().mul(known).sum());
    }
    found.push(rest.div(diagonal));
  }
  return cat(transposed ? found.toReversed() : found);
}

export class GaussianProcess extends Module {
  /** Logarithms of the length scale, the amplitude and the noise's standard deviation. */
  readonly logLength = tensor(0, { requiresGrad: true });
  readonly logAmplitude = tensor(0, { requiresGrad: true });
  readonly logNoise = tensor(-1, { requiresGrad: true });

  /** amplitude²·exp(-(a - b)²/(2·length²)) for a [m] and b [n]: [m, n] */
  kernel(a: Tensor, b: Tensor): Tensor {
    const distance = a.unsqueeze(1).sub(b).div(this.logLength.exp());
    return distance.mul(distance).mul(-0.5).add(this.logAmplitude.mul(2)).exp();
  }

  /** -ln p(y | x), the loss of training. */
  negativeLogLikelihood(x: Tensor, y: Tensor): Tensor {
    const n = x.size;
    const l = cholesky(this.covariance(x));
    const whitened = solveTriangular(l, y);
    const logDeterminant = l.mul(eye(n)).sum(1).log().sum();
    const fit = whitened.mul(whitened).sum().mul(0.5);
    return fit.add(logDeterminant).add((n / 2) * Math.log(2 * Math.PI));
  }

  /** The mean and the variance of the function at new points, given values y at x. */
  predict(x: Tensor, y: Tensor, at: Tensor): { mean: Tensor; variance: Tensor } {
    const l = cholesky(this.covariance(x));
    const alpha = solveTriangular(l, solveTriangular(l, y), true);
    const cross = this.kernel(at, x);
    const whitened = stack(cross.split(1).map((row) => solveTriangular(l, row.flatten())));
    const prior = this.logAmplitude.mul(2).exp();
    return { mean: cross.matmul(alpha), variance: prior.sub(whitened.mul(whitened).sum(1)) };
  }

  private covariance(x: Tensor): Tensor {
    return this.kernel(x, x).add(eye(x.size).mul(this.logNoise.mul(2).exp()));
  }
}
