/**
 * The twins of attention: loops over Float32Array, for one head and one query at a time. The number of queries and the
 * number of keys are equal.
 */

export interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly tokens: number;
  readonly dim: number;
}

type Visit = (own: number, p: Float64Array, rowOf: (token: number) => number) => void;

/**
 * Calls `visit` for each query of each head. `own` is the query's first element, `p` are the attention probabilities,
 * and `rowOf` gives the first element of any token in the same head.
 */
function eachQuery(
  { batch, heads, tokens, dim }: Sizes,
  q: Float32Array,
  k: Float32Array,
  visit: Visit,
): void {
  const p = new Float64Array(tokens);
  for (let item = 0; item < batch * heads; item++) {
    const first = Math.floor(item / heads) * tokens * heads * dim + (item % heads) * dim;
    const rowOf = (token: number) => first + token * heads * dim;
    for (let i = 0; i < tokens; i++) {
      const own = rowOf(i);
      let [most, total] = [-Infinity, 0];
      for (let j = 0; j < tokens; j++) {
        const at = rowOf(j);
        let s = 0;
        for (let c = 0; c < dim; c++) s += q[own + c] * k[at + c];
        p[j] = s / Math.sqrt(dim);
        most = Math.max(most, p[j]);
      }
      for (let j = 0; j < tokens; j++) total += p[j] = Math.exp(p[j] - most);
      for (let j = 0; j < tokens; j++) p[j] /= total;
      visit(own, p, rowOf);
    }
  }
}

/** y[batch, tokens, heads·dim] */
export function attention(
  sizes: Sizes,
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  y: Float32Array,
): void {
  const { tokens, dim } = sizes;
  eachQuery(sizes, q, k, (own, p, rowOf) => {
    y.fill(0, own, own + dim);
    for (let j = 0; j < tokens; j++) for (let c = 0; c < dim; c++) y[own + c] += p[j] * v[rowOf(j) + c];
  });
}

/** dq, dk and dv from dy. */
export function attentionBackward(
  sizes: Sizes,
  [q, k, v, dy]: readonly Float32Array[],
  [dq, dk, dv]: readonly Float32Array[],
): void {
  const { tokens, dim } = sizes;
  const dp = new Float64Array(tokens);
  for (const gradient of [dq, dk, dv]) gradient.fill(0);
  eachQuery(sizes, q, k, (own, p, rowOf) => {
    let mean = 0;
    for (let j = 0; j < tokens; j++) {
      const at = rowOf(j);
      dp[j] = 0;
      for (let c = 0; c < dim; c++) dp[j] += dy[own + c] * v[at + c];
      mean += p[j] * dp[j];
    }
    for (let j = 0; j < tokens; j++) {
      const at = rowOf(j);
      const ds = (p[j] * (dp[j] - mean)) / Math.sqrt(dim);
      for (let c = 0; c < dim; c++) {
        dq[own + c] += ds * k[at + c];
        dk[at + c] += ds * q[own + c];
        dv[at + c] += p[j] * dy[own + c];
      }
    }
  });
}
