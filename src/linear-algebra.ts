/**
 * Small dense matrices in float64, [D·D] row by row. The orders of summation are fixed, so the bits are the same on
 * every machine.
 *
 * Eigenvalues by Jacobi's cyclic rotations, to 1e-14 of the matrix's norm: Golub and Van Loan, "Matrix computations",
 * algorithm 8.5.2. Linear equations by Gauss' elimination with the largest pivot of a column.
 *
 * Left out on purpose: large or sparse matrices, and eigenvalues of matrices that are not symmetric.
 */

/** Eigenvalues of a symmetric matrix [D·D], and its eigenvectors as columns if `vectors` is given. */
export function symmetricEigen(
  matrix: Float64Array,
  D: number,
): { values: Float64Array; vectors: Float64Array } {
  const a = matrix.slice();
  const vectors = Float64Array.from(a, (_, i) => (i % (D + 1) === 0 ? 1 : 0));
  const rotate = (m: Float64Array, i: number, j: number, c: number, s: number) => {
    const [x, y] = [m[i], m[j]];
    m[i] = c * x - s * y;
    m[j] = s * x + c * y;
  };
  const scale = Math.sqrt(a.reduce((sum, x) => sum + x * x, 0));
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < D; p++) for (let q = p + 1; q < D; q++) off += a[p * D + q] * a[p * D + q];
    if (Math.sqrt(off) <= 1e-14 * scale) break;
    for (let p = 0; p < D; p++) {
      for (let q = p + 1; q < D; q++) {
        if (a[p * D + q] === 0) continue;
        // The rotation that makes a[p,q] 0: t = tan, the smaller root of t² + 2·theta·t - 1.
        const theta = (a[q * D + q] - a[p * D + p]) / (2 * a[p * D + q]);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        for (let k = 0; k < D; k++) rotate(a, k * D + p, k * D + q, c, t * c);
        for (let k = 0; k < D; k++) rotate(a, p * D + k, q * D + k, c, t * c);
        for (let k = 0; k < D; k++) rotate(vectors, k * D + p, k * D + q, c, t * c);
      }
    }
  }
  return { values: Float64Array.from({ length: D }, (_, i) => a[i * D + i]), vectors };
}

/** a·b of [D·D] matrices. */
export function matrixProduct(a: Float64Array, b: Float64Array, D: number): Float64Array {
  const out = new Float64Array(D * D);
  for (let i = 0; i < D; i++) {
    for (let k = 0; k < D; k++) {
      const x = a[i * D + k];
      for (let j = 0; j < D; j++) out[i * D + j] += x * b[k * D + j];
    }
  }
  return out;
}

/** R with R·R = the matrix [D·D]. The matrix must be symmetric without negative eigenvalues, as a covariance is. */
export function symmetricRoot(matrix: Float64Array, D: number): Float64Array {
  const { values, vectors } = symmetricEigen(matrix, D);
  const scaled = vectors.map((x, i) => x * Math.sqrt(Math.max(0, values[i % D])));
  const transposed = vectors.map((_, i) => vectors[(i % D) * D + Math.floor(i / D)]);
  return matrixProduct(scaled, transposed, D);
}

/** Solves A·x = b by Gauss' elimination with the largest pivot. */
export function solveLinear(matrix: readonly number[][], b: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, b[i]]);
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++)
      if (Math.abs(rows[i][column]) > Math.abs(rows[pivot][column])) pivot = i;
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    for (let i = column + 1; i < n; i++) {
      const factor = rows[i][column] / rows[column][column];
      for (let j = column; j <= n; j++) rows[i][j] -= factor * rows[column][j];
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    const rest = rows[i].slice(i + 1, n).reduce((sum, a, j) => sum + a * x[i + 1 + j], 0);
    x[i] = (rows[i][n] - rest) / rows[i][i];
  }
  return x;
}
