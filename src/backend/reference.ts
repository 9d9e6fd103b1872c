/**
 * The reference backend: every kernel in plain TypeScript and float64. It is the specification of the WebAssembly
 * kernels, the oracle of the tests, and the slow row of every benchmark. It is written to be read. It is one class
 * because the contract is one interface. A kernel is a few lines, and similar kernels are next to each other.
 */
import { OutOfMemoryError } from '../errors.ts';
import type { LinearMemory } from '../memory/heap.ts';
import { ACTIVATIONS, BINARY_FORMULAS, COMPARISONS, type Derivative, UNARY_FORMULAS } from './formulas.ts';
import type * as K from './kernels.ts';
import { convPlaces, poolPlaces } from './kernels.ts';
import { philox } from './philox.ts';
import { forEachWindow, shuffledPlaces } from './reference-places.ts';

const { exp, log, max } = Math;

/** Bytes of an element. */
const SIZE = 8;
/** JavaScript engines refuse larger buffers, at about 2^33 to 2^34 bytes. */
const LIMIT = 2 ** 33;

const BINARY_FUNCTIONS: Record<K.BinaryName, (a: number, b: number) => number> = {
  ...COMPARISONS,
  ...(Object.fromEntries(Object.entries(BINARY_FORMULAS).map(([name, { f }]) => [name, f])) as Record<
    K.DifferentiableName,
    (a: number, b: number) => number
  >),
};

/** Reductions: the result over no elements, and the function that adds one more element. */
const REDUCTIONS: Record<K.ReduceName, { empty: number; join: (total: number, x: number) => number }> = {
  sum: { empty: 0, join: (total, x) => total + x },
  sumSquares: { empty: 0, join: (total, x) => total + x * x },
  max: { empty: -Infinity, join: Math.max },
  min: { empty: Infinity, join: Math.min },
  prod: { empty: 1, join: (total, x) => total * x },
};

/** One group of channels of one picture: its elements in x, and their normalised values. */
interface Group {
  readonly picture: number;
  readonly elements: readonly number[];
  readonly rstd: number;
  normalised(e: number): number;
  z(e: number): number;
}

/** A query of a head: its probabilities, and the first elements of its own row and of its picture's keys and values. */
interface Query {
  readonly p: Float64Array;
  readonly q: number;
  readonly k: (j: number) => number;
  readonly v: (j: number) => number;
  /** Its row among the queries of all pictures. */
  readonly row: number;
  readonly head: number;
  readonly picture: number;
}

/** The element of a view in row i and column j. */
const at = ({ ptr, row, col }: K.View2d, i: number, j: number) => ptr / SIZE + i * row + j * col;

/** Writes n standard normals to out[at ...], by the method of Box and Muller: see assembly/random/gaussian.ts. */
function normals(n: number, out: Float64Array, at: number, key: K.Key, block: number): void {
  const words = new Uint32Array(16);
  const group = new Float64Array(16);
  for (let i = 0; i < n; i += 16) {
    for (let lane = 0; lane < 4; lane++) philox(key, block + i / 4 + lane, words, 4 * lane);
    // Words 0 and 1 of the four blocks make elements 0..7 of the group. Words 2 and 3 make elements 8..15.
    for (let lane = 0; lane < 4; lane++) {
      for (const word of [0, 2]) {
        const u = ((words[4 * lane + word] >>> 1) + 0.5) / 2 ** 31;
        const r = Math.sqrt(-2 * Math.log(u));
        // The low 31 bits, as a signed number, are an angle within a quarter turn. The top bit adds half a turn.
        const angle = words[4 * lane + word + 1];
        const theta = Math.PI * (angle >>> 31) + (Math.PI / 2) * ((angle << 1) / 2 ** 31);
        group[4 * word + lane] = r * Math.cos(theta);
        group[4 * word + 4 + lane] = r * Math.sin(theta);
      }
    }
    out.set(group.subarray(0, Math.min(16, n - i)), at + i);
  }
}

/** Calls `visit` for each product that a convolution adds, with its elements of x, w and y: y[atY] += x[atX]·w[atW]. */
function forEachTap(s: K.ConvSizes, visit: (atX: number, atW: number, atY: number) => void): void {
  const [h, w] = convPlaces(s);
  const [channels, columns] = [s.inChannels / s.groups, s.outChannels / s.groups];
  for (let place = 0; place < s.batch * h * w; place++) {
    const [b, i, j] = [Math.floor(place / (h * w)), Math.floor(place / w) % h, place % w];
    for (let ky = 0; ky < s.kernelHeight; ky++) {
      const y = i * s.strideHeight - s.paddingHeight + ky * s.dilationHeight;
      if (y < 0 || y >= s.height) continue;
      for (let kx = 0; kx < s.kernelWidth; kx++) {
        const x = j * s.strideWidth - s.paddingWidth + kx * s.dilationWidth;
        if (x < 0 || x >= s.width) continue;
        const pixel = ((b * s.height + y) * s.width + x) * s.inChannels;
        for (let o = 0; o < s.outChannels; o++) {
          const first = pixel + Math.floor(o / columns) * channels;
          const weights = ((o * s.kernelHeight + ky) * s.kernelWidth + kx) * channels;
          for (let c = 0; c < channels; c++) visit(first + c, weights + c, place * s.outChannels + o);
        }
      }
    }
  }
}

/** A buffer of float64 that grows. */
export class ReferenceMemory implements LinearMemory {
  private buffer = new ArrayBuffer(1 << 20);
  private view = new Float64Array(this.buffer);

  get byteLength(): number {
    return this.buffer.byteLength;
  }

  get f64(): Float64Array<ArrayBuffer> {
    return this.view;
  }

  grow(bytes: number): void {
    const size = Math.max(bytes, 2 * this.byteLength);
    if (bytes > LIMIT)
      throw new OutOfMemoryError(
        `out of memory: expected at most ${LIMIT} bytes, got a request for ${bytes}`,
      );
    let grown: ArrayBuffer;
    try {
      grown = new ArrayBuffer(Math.min(size, LIMIT));
    } catch {
      throw new OutOfMemoryError(`out of memory: the engine refuses a buffer of ${size} bytes`);
    }
    const view = new Float64Array(grown);
    view.set(this.view);
    this.buffer = grown;
    this.view = view;
  }
}

export class ReferenceKernels implements K.Kernels {
  constructor(private readonly memory: ReferenceMemory) {}

  gemm({ m, n, k, a, b, bias = null, activation = 'none', out }: K.Gemm): void {
    const x = this.memory.f64;
    const A = a.transposed ? { ptr: a.ptr, row: 1, col: m } : { ptr: a.ptr, row: k, col: 1 };
    const B = b.transposed ? { ptr: b.ptr, row: 1, col: k } : { ptr: b.ptr, row: n, col: 1 };
    const f = ACTIVATIONS[activation];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const c = out.ptr / SIZE + i * n + j;
        let sum = 0;
        for (let p = 0; p < k; p++) sum += x[at(A, i, p)] * x[at(B, p, j)];
        if (out.accumulate) sum += x[c];
        if (bias !== null) sum += x[bias / SIZE + j];
        x[c] = f(sum);
      }
    }
  }

  gemmBatch({ batch, a, b, out, aStep, bStep, outStep, ...sizes }: K.GemmBatch): void {
    for (let i = 0; i < batch; i++) {
      const at = <T extends { readonly ptr: K.Ptr }>(x: T, step: number): T => ({
        ...x,
        ptr: x.ptr + SIZE * i * step,
      });
      this.gemm({ ...sizes, a: at(a, aStep), b: at(b, bStep), out: at(out, outStep) });
    }
  }

  conv2d(record: K.Conv2d): void {
    const mem = this.memory.f64;
    const { x, w, outChannels } = record;
    const y = new Float64Array(record.batch * convPlaces(record).reduce((h, w) => h * w, outChannels));
    forEachTap(record, (atX, atW, atY) => {
      y[atY] += mem[x / SIZE + atX] * mem[w / SIZE + atW];
    });
    this.eachChannel(record, y, outChannels);
  }

  conv2dInputGradient(record: K.Conv2dInputGradient): void {
    const mem = this.memory.f64;
    const { batch, height, width, inChannels, dy, w } = record;
    const dx = new Float64Array(batch * height * width * inChannels);
    forEachTap(record, (atX, atW, atY) => {
      dx[atX] += mem[dy / SIZE + atY] * mem[w / SIZE + atW];
    });
    this.eachChannel(record, dx, inChannels);
  }

  /** out = activation([out +] sums [+ bias]) */
  private eachChannel(
    { bias = null, activation = 'none', out }: K.Conv2d | K.Conv2dInputGradient,
    sums: Float64Array,
    channels: number,
  ): void {
    const mem = this.memory.f64;
    const f = ACTIVATIONS[activation];
    for (const i of sums.keys()) {
      const at = out.ptr / SIZE + i;
      const sum = sums[i] + (out.accumulate ? mem[at] : -0);
      mem[at] = f(bias === null ? sum : sum + mem[bias / SIZE + (i % channels)]);
    }
  }

  conv2dWeightGradient(record: K.Conv2dWeightGradient): void {
    const mem = this.memory.f64;
    const { inChannels, outChannels, kernelHeight, kernelWidth, groups, x, dy } = record;
    const dw = new Float64Array((outChannels * kernelHeight * kernelWidth * inChannels) / groups);
    forEachTap(record, (atX, atW, atY) => {
      dw[atW] += mem[x / SIZE + atX] * mem[dy / SIZE + atY];
    });
    this.each(record.out, dw.length, (i) => dw[i]);
  }

  unary(name: K.UnaryName, { n, x, out, lo = 0, hi = 0, slope = 0 }: K.Unary): void {
    const mem = this.memory.f64;
    const { f } = UNARY_FORMULAS[name];
    this.each(out, n, (i) => f(mem[x / SIZE + i], { lo, hi, slope }));
  }

  unaryBackward(name: K.UnaryName, { n, dy, kept, out, lo = 0, hi = 0, slope = 0 }: K.UnaryBackward): void {
    const mem = this.memory.f64;
    const { df } = UNARY_FORMULAS[name];
    this.each(out, n, (i) => df(mem[dy / SIZE + i], mem[kept / SIZE + i], { lo, hi, slope }));
  }

  binary(name: K.BinaryName, { rows, cols, a, b, out }: K.Binary): void {
    const mem = this.memory.f64;
    const f = BINARY_FUNCTIONS[name];
    this.eachOf(out, rows, cols, (i, j) => f(mem[at(a, i, j)], mem[at(b, i, j)]));
  }

  binaryBackward(name: K.NonlinearName, operand: 'a' | 'b', record: K.BinaryBackward): void {
    const mem = this.memory.f64;
    const { rows, cols, dy, a, b, y, out } = record;
    const df = BINARY_FORMULAS[name][operand === 'a' ? 'da' : 'db'] as Derivative;
    this.eachOf(out, rows, cols, (i, j) => {
      const dense = i * cols + j;
      return df(mem[dy / SIZE + dense], mem[at(a, i, j)], mem[at(b, i, j)], mem[y / SIZE + dense]);
    });
  }

  where({ rows, cols, condition, a, b, out }: K.Where): void {
    const mem = this.memory.f64;
    this.eachOf(out, rows, cols, (i, j) => mem[at(mem[at(condition, i, j)] !== 0 ? a : b, i, j)]);
  }

  copy({ rows, cols, alpha, x, y, accumulate }: K.Copy): void {
    const mem = this.memory.f64;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < cols; j++) {
        const to = at(y, i, j);
        mem[to] = alpha * mem[at(x, i, j)] + (accumulate ? mem[to] : -0);
      }
    }
  }

  fill({ n, out, value }: K.Fill): void {
    this.memory.f64.fill(value, out / SIZE, out / SIZE + n);
  }

  reduce(name: K.ReduceName, { outer, n, inner, x, alpha, out }: K.Reduce): void {
    const mem = this.memory.f64;
    const { empty, join } = REDUCTIONS[name];
    this.eachOf(out, outer, inner, (o, i) => {
      let total = empty;
      for (let j = 0; j < n; j++) total = join(total, mem[x / SIZE + (o * n + j) * inner + i]);
      return alpha * total;
    });
  }

  softmax(name: K.SoftmaxName, { rows, cols, x, out }: K.Softmax): void {
    const mem = this.memory.f64;
    for (let i = 0; i < rows; i++) {
      const row = mem.subarray(x / SIZE + i * cols, x / SIZE + (i + 1) * cols);
      const m = row.reduce((most, value) => max(most, value), -Infinity);
      const s = row.reduce((sum, value) => sum + exp(value - m), 0);
      const y = row.map((value) => (name === 'softmax' ? exp(value - m) / s : value - m - log(s)));
      mem.set(y, out / SIZE + i * cols);
    }
  }

  softmaxBackward(name: K.SoftmaxName, { rows, cols, dy, kept, scratch, out }: K.SoftmaxBackward): void {
    const mem = this.memory.f64;
    let y = kept;
    if (name === 'logSoftmax') this.softmax('softmax', { rows, cols, x: kept, out: (y = scratch) });
    for (let i = 0; i < rows; i++) {
      const at = (ptr: K.Ptr, j: number) => mem[ptr / SIZE + i * cols + j];
      let sum = 0;
      for (let j = 0; j < cols; j++) sum += name === 'softmax' ? at(dy, j) * at(y, j) : at(dy, j);
      const dx = (j: number) =>
        name === 'softmax' ? at(y, j) * (at(dy, j) - sum) : at(dy, j) - at(y, j) * sum;
      this.each({ ...out, ptr: out.ptr + SIZE * i * cols }, cols, dx);
    }
  }

  gather({ outer, n, m, inner, x, index, out }: K.Gather): void {
    const mem = this.memory.f64;
    const word = this.words(index);
    this.eachOf(out, outer * m, inner, (row, i) => {
      const [o, j] = [Math.floor(row / m), row % m];
      return mem[x / SIZE + (o * n + word(o, j, i)) * inner + i];
    });
  }

  scatterAdd({ outer, n, m, inner, y, index, out }: K.ScatterAdd): void {
    const mem = this.memory.f64;
    const word = this.words(index);
    for (let o = 0; o < outer; o++) {
      for (let j = 0; j < m; j++) {
        for (let i = 0; i < inner; i++) {
          mem[out / SIZE + (o * n + word(o, j, i)) * inner + i] += mem[y / SIZE + (o * m + j) * inner + i];
        }
      }
    }
  }

  cumsum({ outer, n, inner, x, reverse, out }: K.Cumsum): void {
    const mem = this.memory.f64;
    const sums = new Float64Array(outer * n * inner);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let step = 0; step < n; step++) {
          const j = reverse ? n - 1 - step : step;
          const e = (o * n + j) * inner + i;
          sums[e] = sum += mem[x / SIZE + e];
        }
      }
    }
    this.each(out, sums.length, (e) => sums[e]);
  }

  prodBackward({ outer, n, inner, x, dy, out }: K.ProdBackward): void {
    const mem = this.memory.f64;
    const dx = new Float64Array(outer * n * inner);
    for (let column = 0; column < outer * inner; column++) {
      const first = Math.floor(column / inner) * n * inner + (column % inner);
      let prefix = 1;
      for (let j = 0, at = first; j < n; j++, at += inner) {
        dx[at] = prefix;
        prefix *= mem[x / SIZE + at];
      }
      let suffix = mem[dy / SIZE + column];
      for (let j = n - 1, at = first + j * inner; j >= 0; j--, at -= inner) {
        dx[at] *= suffix;
        suffix *= mem[x / SIZE + at];
      }
    }
    this.each(out, dx.length, (i) => dx[i]);
  }

  mse({ n, a, b, out }: K.Mse): void {
    const mem = this.memory.f64;
    let total = 0;
    for (let i = 0; i < n; i++) total += (mem[a / SIZE + i] - mem[b / SIZE + i]) ** 2;
    mem[out / SIZE] = total / n;
  }

  mseBackward({ n, a, b, dy, scale, out }: K.MseBackward): void {
    const mem = this.memory.f64;
    const factor = scale * mem[dy / SIZE];
    this.each(out, n, (i) => factor * (mem[a / SIZE + i] - mem[b / SIZE + i]));
  }

  affineSample({ batch, height, width, channels, x, matrix, out }: K.AffineSample): void {
    const mem = this.memory.f64;
    this.fill({ n: batch * height * width * channels, out, value: 0 });
    this.eachNeighbour({ batch, height, width, channels, matrix }, (to, from, weight) => {
      for (let c = 0; c < channels; c++) mem[out / SIZE + to + c] += weight * mem[x / SIZE + from + c];
    });
  }

  affineSampleBackward({ batch, height, width, channels, dy, matrix, out }: K.AffineSampleBackward): void {
    const mem = this.memory.f64;
    this.eachNeighbour({ batch, height, width, channels, matrix }, (to, from, weight) => {
      for (let c = 0; c < channels; c++) mem[out / SIZE + from + c] += weight * mem[dy / SIZE + to + c];
    });
  }

  adam({ n, stepSize, beta1, beta2, eps, correction, l2, shrink, ...at }: K.Adam): void {
    const mem = this.memory.f64;
    const [p, g, m, v] = [at.p / SIZE, at.g / SIZE, at.m / SIZE, at.v / SIZE];
    for (let i = 0; i < n; i++) {
      const gradient = mem[g + i] + l2 * mem[p + i];
      mem[m + i] = beta1 * mem[m + i] + (1 - beta1) * gradient;
      mem[v + i] = beta2 * mem[v + i] + (1 - beta2) * gradient * gradient;
      const denominator = Math.sqrt(mem[v + i]) / correction + eps;
      mem[p + i] = shrink * mem[p + i] - (stepSize * mem[m + i]) / denominator;
    }
  }

  sgd({ n, p, g, buffer, lr, momentum, dampening, l2, nesterov, first }: K.Sgd): void {
    const mem = this.memory.f64;
    for (let i = 0; i < n; i++) {
      const to = p / SIZE + i;
      let direction = mem[g / SIZE + i] + l2 * mem[to];
      if (buffer !== null && momentum !== 0) {
        const b = buffer / SIZE + i;
        mem[b] = first ? direction : momentum * mem[b] + (1 - dampening) * direction;
        direction = nesterov ? direction + momentum * mem[b] : mem[b];
      }
      mem[to] = mem[to] - lr * direction;
    }
  }

  rmsprop({ n, p, g, v, average, buffer, lr, alpha, eps, momentum, l2 }: K.Rmsprop): void {
    const mem = this.memory.f64;
    for (let i = 0; i < n; i++) {
      const [to, squares] = [p / SIZE + i, v / SIZE + i];
      const gradient = mem[g / SIZE + i] + l2 * mem[to];
      mem[squares] = alpha * mem[squares] + (1 - alpha) * gradient * gradient;
      let variance = mem[squares];
      if (average !== null) {
        const mean = average / SIZE + i;
        mem[mean] = alpha * mem[mean] + (1 - alpha) * gradient;
        variance = Math.max(0, variance - mem[mean] * mem[mean]);
      }
      let direction = gradient / (Math.sqrt(variance) + eps);
      if (buffer !== null) {
        const b = buffer / SIZE + i;
        mem[b] = momentum * mem[b] + direction;
        direction = mem[b];
      }
      mem[to] = mem[to] - lr * direction;
    }
  }

  random(name: K.RandomName, { n, out, key, block }: K.Random): void {
    const mem = this.memory.f64;
    if (name === 'gaussian') return normals(n, mem, out / SIZE, key, block);
    const words = new Uint32Array(Math.ceil(n / 4) * 4);
    for (let i = 0; i < n; i += 4) philox(key, block + i / 4, words, i);
    if (name === 'randomBits') new Uint32Array(mem.buffer, out, n).set(words.subarray(0, n));
    else for (let i = 0; i < n; i++) mem[out / SIZE + i] = (words[i] >>> 8) / 2 ** 24;
  }

  randomAhead(name: K.RandomName, record: K.Random): () => void {
    this.random(name, record);
    return () => {};
  }

  affinePath({ n, steps, coefficients, x, out, row, key, stepBlocks }: K.AffinePath): void {
    const mem = this.memory.f64;
    const z = new Float64Array(n);
    let from = x / SIZE;
    for (let k = 0; k < steps; k++) {
      const [a0, a1, b0, b1] = mem.subarray(coefficients / SIZE + 4 * k);
      const to = out / SIZE + k * row;
      normals(n, z, 0, key, k * stepBlocks);
      for (let i = 0; i < n; i++) {
        const value = mem[from + i];
        // As in the kernel, so that an infinite state with additive noise stays infinite.
        const b = b1 === 0 ? b0 : b0 + b1 * value;
        mem[to + i] = value + (a0 + a1 * value) + b * z[i];
      }
      from = to;
    }
  }

  /** Calls `visit` for each pixel of the result and each pixel of its picture that is used in the interpolation. */
  private eachNeighbour(
    { batch, height, width, channels, matrix }: Omit<K.AffineSample, 'x' | 'out'>,
    visit: (to: number, from: number, weight: number) => void,
  ): void {
    const place = (b: number, i: number, j: number) => ((b * height + i) * width + j) * channels;
    for (let p = 0; p < batch * height * width; p++) {
      const [b, i, j] = [Math.floor(p / (height * width)), Math.floor(p / width) % height, p % width];
      const m = this.memory.f64.subarray(matrix / SIZE + 6 * b);
      const [u, v] = [m[0] * j + m[1] * i + m[2], m[3] * j + m[4] * i + m[5]];
      for (const row of [Math.floor(v), Math.floor(v) + 1]) {
        for (const column of [Math.floor(u), Math.floor(u) + 1]) {
          const inside = row >= 0 && row < height && column >= 0 && column < width;
          const weight = (1 - Math.abs(v - row)) * (1 - Math.abs(u - column));
          if (inside && weight > 0) visit(place(b, i, j), place(b, row, column), weight);
        }
      }
    }
  }

  groupNorm(record: K.GroupNorm): void {
    const mem = this.memory.f64;
    this.eachGroup(record, ({ elements, z }) => {
      for (const e of elements) mem[record.out / SIZE + e] = record.silu ? ACTIVATIONS.silu(z(e)) : z(e);
    });
  }

  groupNormBackward(record: K.GroupNormBackward): void {
    const mem = this.memory.f64;
    const { batch, channels, weight, dy, sums, out } = record;
    this.eachGroup(record, ({ picture, elements, rstd, normalised, z }) => {
      const dz = (e: number) => {
        const own = mem[dy / SIZE + e];
        return record.silu ? UNARY_FORMULAS.silu.df(own, z(e), { lo: 0, hi: 0, slope: 0 }) : own;
      };
      const factor = (e: number) => (weight === null ? 1 : mem[weight / SIZE + (e % channels)]);
      const [gradients, both] = [elements.map(dz), elements.map((e) => dz(e) * normalised(e))];
      const mean = (values: readonly number[]) =>
        values.reduce((sum, value, i) => sum + factor(elements[i]) * value, 0) / elements.length;
      const [g1, g2] = [mean(gradients), mean(both)];
      if (sums !== null) {
        for (const [part, values] of [both, gradients].entries()) {
          const at = sums / SIZE + (part * batch + picture) * channels;
          for (const e of elements) mem[at + (e % channels)] = 0;
          values.forEach((value, i) => {
            mem[at + (elements[i] % channels)] += value;
          });
        }
      }
      const dx = elements.map((e, i) => rstd * (factor(e) * gradients[i] - g1 - normalised(e) * g2));
      if (!out) return;
      elements.forEach((e, i) => {
        mem[out.ptr / SIZE + e] = dx[i] + (out.accumulate ? mem[out.ptr / SIZE + e] : -0);
      });
    });
  }

  /** Calls `body` with the elements of each group of channels of each picture, and their statistics. */
  private eachGroup(record: K.GroupNorm | K.GroupNormBackward, body: (group: Group) => void): void {
    const mem = this.memory.f64;
    const { batch, positions, channels, groups, eps, x, weight, bias } = record;
    const size = channels / groups;
    for (let group = 0; group < batch * groups; group++) {
      const picture = Math.floor(group / groups);
      const first = picture * positions * channels + (group % groups) * size;
      const elements = Array.from(
        { length: positions * size },
        (_, i) => first + Math.floor(i / size) * channels + (i % size),
      );
      const n = elements.length;
      const mean = elements.reduce((sum, e) => sum + mem[x / SIZE + e], 0) / n;
      const variance = elements.reduce((sum, e) => sum + (mem[x / SIZE + e] - mean) ** 2, 0) / n;
      const rstd = 1 / Math.sqrt(variance + eps);
      const normalised = (e: number) => (mem[x / SIZE + e] - mean) * rstd;
      const z = (e: number) => {
        const c = e % channels;
        return (
          normalised(e) * (weight === null ? 1 : mem[weight / SIZE + c]) +
          (bias === null ? 0 : mem[bias / SIZE + c])
        );
      };
      body({ picture, elements, rstd, normalised, z });
    }
  }

  averagePool(record: K.AveragePool): void {
    const mem = this.memory.f64;
    const { alpha, inside, x, out } = record;
    const y = new Float64Array(record.batch * poolPlaces(record).reduce((h, w) => h * w, record.channels));
    forEachWindow(record, (place, pixels) => {
      const sum = pixels.reduce((sum, at) => sum + mem[x / SIZE + at], 0);
      y[place] = (alpha * sum) / (inside ? pixels.length : 1);
    });
    this.each(out, y.length, (i) => y[i]);
  }

  averagePoolBackward(record: K.AveragePoolBackward): void {
    const mem = this.memory.f64;
    const { batch, height, width, channels, alpha, inside, dy, out } = record;
    const dx = new Float64Array(batch * height * width * channels);
    forEachWindow(record, (place, pixels) => {
      const share = (alpha * mem[dy / SIZE + place]) / (inside ? pixels.length : 1);
      for (const at of pixels) dx[at] += share;
    });
    this.each(out, dx.length, (i) => dx[i]);
  }

  maxPool(record: K.MaxPool): void {
    const mem = this.memory.f64;
    forEachWindow(record, (place, pixels) => {
      mem[record.out / SIZE + place] = Math.max(...pixels.map((at) => mem[record.x / SIZE + at]));
    });
  }

  maxPoolBackward(record: K.MaxPoolBackward): void {
    const mem = this.memory.f64;
    const { batch, height, width, channels, x, y, dy, out } = record;
    const dx = new Float64Array(batch * height * width * channels);
    forEachWindow(record, (place, pixels) => {
      // Object.is is true for two NaN, which === is not.
      const reached = pixels.find((at) => Object.is(mem[x / SIZE + at] + 0, mem[y / SIZE + place] + 0));
      dx[reached as number] += mem[dy / SIZE + place];
    });
    this.each(out, dx.length, (i) => dx[i]);
  }

  pixelShuffle(record: K.PixelShuffle): void {
    const mem = this.memory.f64;
    const places = shuffledPlaces(record);
    this.each(record.out, places.length, (i) => mem[record.x / SIZE + places[i]]);
  }

  pixelUnshuffle(record: K.PixelShuffle): void {
    const mem = this.memory.f64;
    const places = shuffledPlaces(record);
    const x = new Float64Array(places.length);
    for (const [i, at] of places.entries()) x[at] = mem[record.x / SIZE + i];
    this.each(record.out, x.length, (i) => x[i]);
  }

  attention(record: K.Attention): void {
    const mem = this.memory.f64;
    const { heads, keys, valueDim, out } = record;
    this.eachQuery(record, ({ p, v, row, head }) => {
      for (let c = 0; c < valueDim; c++) {
        let sum = 0;
        for (let j = 0; j < keys; j++) sum += p[j] * mem[v(j) + c];
        mem[out / SIZE + (row * heads + head) * valueDim + c] = sum;
      }
    });
  }

  attentionBackward(record: K.AttentionBackward): void {
    const mem = this.memory.f64;
    const { batch, heads, queries, keys, dim, valueDim, scale, dy, ds } = record;
    const [dq, dk, dv] = [
      new Float64Array(batch * queries * heads * dim),
      new Float64Array(batch * keys * heads * dim),
      new Float64Array(batch * keys * heads * valueDim),
    ];
    this.eachQuery(record, ({ p, q, k, v, row, head, picture }) => {
      const own = row * heads + head;
      const g = mem.subarray(dy / SIZE + own * valueDim, dy / SIZE + (own + 1) * valueDim);
      const dp = Array.from(p, (_, j) => g.reduce((sum, value, c) => sum + value * mem[v(j) + c], 0));
      const mean = dp.reduce((sum, value, j) => sum + value * p[j], 0);
      for (let j = 0; j < keys; j++) {
        const score = p[j] * (dp[j] - mean);
        const key = (picture * keys + j) * heads + head;
        for (let c = 0; c < dim; c++) {
          dq[own * dim + c] += scale * score * mem[k(j) + c];
          dk[key * dim + c] += scale * score * mem[q + c];
        }
        for (let c = 0; c < valueDim; c++) dv[key * valueDim + c] += p[j] * g[c];
        const at = ((picture * heads + head) * queries + (row % queries)) * keys + j;
        if (ds !== null) mem[ds / SIZE + at] = score;
      }
    });
    const store = (target: K.RowTarget | null, gradient: Float64Array, width: number) => {
      for (let row = 0; target && row < gradient.length / width; row++) {
        const to = { ptr: target.ptr + SIZE * row * target.row, accumulate: target.accumulate };
        this.each(to, width, (c) => gradient[row * width + c]);
      }
    };
    store(record.dq, dq, heads * dim);
    store(record.dk, dk, heads * dim);
    store(record.dv, dv, heads * valueDim);
  }

  /** Calls `body` with the probabilities of each query of each head. If no key is left for a query, they are 0. */
  private eachQuery(record: K.Attention | K.AttentionBackward, body: (query: Query) => void): void {
    const mem = this.memory.f64;
    const { batch, heads, queries, keys, dim, valueDim, scale, causal, mask } = record;
    for (let i = 0; i < batch * queries * heads; i++) {
      const [row, head] = [Math.floor(i / heads), i % heads];
      const picture = Math.floor(row / queries);
      const rowOf = ({ ptr, row: step }: K.Rows, token: number, width: number) =>
        ptr / SIZE + token * step + head * width;
      const q = rowOf(record.q, row, dim);
      const k = (j: number) => rowOf(record.k, picture * keys + j, dim);
      const v = (j: number) => rowOf(record.v, picture * keys + j, valueDim);
      const masks = mask.ptr / SIZE + picture * mask.batch + head * mask.head + (row % queries) * mask.row;
      const scores = Float64Array.from({ length: keys }, (_, j) => {
        let s = 0;
        for (let c = 0; c < dim; c++) s += mem[q + c] * mem[k(j) + c];
        s *= scale;
        if (mask.kind === 'add') s += mem[masks + j];
        const hidden = (mask.kind === 'where' && mem[masks + j] === 0) || (causal && j > row % queries);
        return hidden ? -Infinity : s;
      });
      // A finite start value. If all scores are -inf, the exponentials are then 0.
      const m = scores.reduce((most, s) => max(most, s), -Number.MAX_VALUE);
      const e = scores.map((s) => exp(s - m));
      const total = e.reduce((sum, value) => sum + value, 0);
      body({ p: e.map((value) => (total === 0 ? 0 : value / total)), q, k, v, row, head, picture });
    }
  }

  /** A function that reads indices. */
  private words({ ptr, outer, row, col }: K.IndexView): (o: number, j: number, i: number) => number {
    const words = new Int32Array(this.memory.f64.buffer);
    return (o, j, i) => words[ptr / 4 + o * outer + j * row + i * col];
  }

  /** out[i] = [out[i] +] f(i) for n elements. */
  private each({ ptr, accumulate }: K.Target, n: number, f: (i: number) => number): void {
    const mem = this.memory.f64;
    const first = ptr / SIZE;
    // Adding -0 changes no value. Adding 0 would turn -0 into 0.
    for (let i = 0; i < n; i++) mem[first + i] = f(i) + (accumulate ? mem[first + i] : -0);
  }

  /** out[i,j] = [out[i,j] +] f(i, j) over [rows, cols]. */
  private eachOf(out: K.Target, rows: number, cols: number, f: (i: number, j: number) => number): void {
    this.each(out, rows * cols, (e) => f(Math.floor(e / cols), e % cols));
  }
}
