/**
 * The reference backend: every kernel in plain TypeScript and float64. It is the specification of the
 * WebAssembly kernels, the oracle of the tests, and the slow row of every benchmark; it is written to be read.
 */
import { OutOfMemoryError } from '../errors.ts';
import type { LinearMemory, Ptr } from '../memory/heap.ts';
import type {
  ActivationName,
  AdamStep,
  BinaryName,
  Bounds,
  Kernels,
  Key,
  ReduceName,
  SgdStep,
  UnaryName,
  View2d,
} from './kernels.ts';
import { philox } from './philox.ts';

/** Bytes of an element. */
const SIZE = 8;
/** JavaScript engines refuse larger buffers, at some 2^33 to 2^34 bytes. */
const LIMIT = 2 ** 33;

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const UNARY_FUNCTIONS: Record<UnaryName, (x: number, bounds: Bounds) => number> = {
  neg: (x) => -x,
  abs: Math.abs,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  // biome-ignore lint/complexity/useMathMinMax: Math.max(-0, 0) is 0, and this keeps -0 as the kernel does
  relu: (x) => (x < 0 ? 0 : x),
  sigmoid,
  tanh: Math.tanh,
  silu: (x) => (x === -Infinity ? -0 : x * sigmoid(x)),
  clamp: (x, { lo, hi }) => Math.min(Math.max(x, lo), hi),
};

const BINARY_FUNCTIONS: Record<BinaryName, (a: number, b: number, bounds: Bounds) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
  // IEEE 754 says 1 where JavaScript says NaN: pow(1, NaN) and pow(±1, ±inf).
  pow: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
  absBackward: (x, dy) => (x > 0 ? dy : x < 0 ? -dy : 0),
  sqrtBackward: (y, dy) => dy / (2 * y),
  reluBackward: (y, dy) => (y > 0 ? dy : 0),
  sigmoidBackward: (y, dy) => dy * (y * (1 - y)),
  tanhBackward: (y, dy) => dy * (1 - y * y),
  siluBackward: (x, dy) => dy * (sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
  clampBackward: (x, dy, { lo, hi }) => (x >= lo && x <= hi ? dy : 0),
  greaterShare: (a, b) => (a > b ? 1 : a === b ? 0.5 : 0),
};

const NO_BOUNDS: Bounds = { lo: -Infinity, hi: Infinity };

const ACTIVATION_FUNCTIONS: Record<ActivationName, (x: number) => number> = {
  none: (x) => x,
  relu: (x) => UNARY_FUNCTIONS.relu(x, NO_BOUNDS),
  sigmoid,
  tanh: Math.tanh,
  silu: (x) => UNARY_FUNCTIONS.silu(x, NO_BOUNDS),
};

/** n standard normals into out[at ...], by Box and Muller: see assembly/gaussian.ts. */
function normals(n: number, out: Float64Array, at: number, key: Key, block: number): void {
  const words = new Uint32Array(16);
  const group = new Float64Array(16);
  for (let i = 0; i < n; i += 16) {
    for (let lane = 0; lane < 4; lane++) philox(key, block + i / 4 + lane, words, 4 * lane);
    // Words 0 and 1 of the four blocks make elements 0..7 of the group, words 2 and 3 elements 8..15.
    for (let lane = 0; lane < 4; lane++) {
      for (const word of [0, 2]) {
        const u = ((words[4 * lane + word] >>> 1) + 0.5) / 2 ** 31;
        const r = Math.sqrt(-2 * Math.log(u));
        // The low 31 bits, signed, are within a quarter turn; the top bit is half a turn.
        const angle = words[4 * lane + word + 1];
        const theta = Math.PI * (angle >>> 31) + (Math.PI / 2) * ((angle << 1) / 2 ** 31);
        group[4 * word + lane] = r * Math.cos(theta);
        group[4 * word + 4 + lane] = r * Math.sin(theta);
      }
    }
    out.set(group.subarray(0, Math.min(16, n - i)), at + i);
  }
}

/** A growing buffer of float64. */
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
      throw new OutOfMemoryError(`out of memory: ${bytes} bytes asked for, ${LIMIT} is the limit`);
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

export class ReferenceKernels implements Kernels {
  constructor(private readonly memory: ReferenceMemory) {}

  gemm(
    m: number,
    n: number,
    k: number,
    a: Ptr,
    aT: boolean,
    b: Ptr,
    bT: boolean,
    c: Ptr,
    accumulate: boolean,
    bias: Ptr | null = null,
    activation: ActivationName = 'none',
  ): void {
    const x = this.memory.f64;
    const [a0, b0, c0] = [a / SIZE, b / SIZE, c / SIZE];
    const [aRow, aCol] = aT ? [1, m] : [k, 1];
    const [bRow, bCol] = bT ? [1, k] : [n, 1];
    const activate = ACTIVATION_FUNCTIONS[activation];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += x[a0 + i * aRow + p * aCol] * x[b0 + p * bRow + j * bCol];
        if (accumulate) sum += x[c0 + i * n + j];
        if (bias !== null) sum += x[bias / SIZE + j];
        x[c0 + i * n + j] = activate(sum);
      }
    }
  }

  unary(name: UnaryName, n: number, x: Ptr, y: Ptr, accumulate: boolean, bounds = NO_BOUNDS): void {
    const mem = this.memory.f64;
    const f = UNARY_FUNCTIONS[name];
    const [x0, y0] = [x / SIZE, y / SIZE];
    for (let i = 0; i < n; i++) mem[y0 + i] = f(mem[x0 + i], bounds) + (accumulate ? mem[y0 + i] : -0);
  }

  binary(
    name: BinaryName,
    rows: number,
    cols: number,
    a: View2d,
    b: View2d,
    y: Ptr,
    accumulate: boolean,
    bounds = NO_BOUNDS,
  ): void {
    const mem = this.memory.f64;
    const f = BINARY_FUNCTIONS[name];
    const [a0, b0, y0] = [a.ptr / SIZE, b.ptr / SIZE, y / SIZE];
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < cols; j++) {
        const value = f(mem[a0 + i * a.row + j * a.col], mem[b0 + i * b.row + j * b.col], bounds);
        const at = y0 + i * cols + j;
        mem[at] = value + (accumulate ? mem[at] : -0);
      }
    }
  }

  copy(
    rows: number,
    cols: number,
    alpha: number,
    x: Ptr,
    xRow: number,
    xCol: number,
    y: Ptr,
    yRow: number,
    yCol: number,
    accumulate: boolean,
  ): void {
    const mem = this.memory.f64;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < cols; j++) {
        const at = y / SIZE + i * yRow + j * yCol;
        const value = alpha * mem[x / SIZE + i * xRow + j * xCol];
        mem[at] = value + (accumulate ? mem[at] : -0);
      }
    }
  }

  fill(n: number, y: Ptr, value: number): void {
    this.memory.f64.fill(value, y / SIZE, y / SIZE + n);
  }

  reduce(
    name: ReduceName,
    outer: number,
    n: number,
    inner: number,
    x: Ptr,
    y: Ptr,
    alpha: number,
    accumulate: boolean,
  ): void {
    const mem = this.memory.f64;
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let total = name === 'max' ? -Infinity : 0;
        for (let j = 0; j < n; j++) {
          const value = mem[x / SIZE + (o * n + j) * inner + i];
          if (name === 'max') total = Math.max(total, value);
          else total += name === 'sumSquares' ? value * value : value;
        }
        const at = y / SIZE + o * inner + i;
        mem[at] = alpha * total + (accumulate ? mem[at] : -0);
      }
    }
  }

  mse(n: number, a: Ptr, b: Ptr, y: Ptr): void {
    const mem = this.memory.f64;
    let total = 0;
    for (let i = 0; i < n; i++) total += (mem[a / SIZE + i] - mem[b / SIZE + i]) ** 2;
    mem[y / SIZE] = total / n;
  }

  mseBackward(n: number, a: Ptr, b: Ptr, dy: Ptr, scale: number, dx: Ptr, accumulate: boolean): void {
    const mem = this.memory.f64;
    const factor = scale * mem[dy / SIZE];
    for (let i = 0; i < n; i++) {
      const at = dx / SIZE + i;
      mem[at] = factor * (mem[a / SIZE + i] - mem[b / SIZE + i]) + (accumulate ? mem[at] : -0);
    }
  }

  adam(n: number, p: Ptr, g: Ptr, m: Ptr, v: Ptr, step: AdamStep): void {
    const mem = this.memory.f64;
    const { stepSize, beta1, beta2, eps, correction, l2, shrink } = step;
    const [p0, g0, m0, v0] = [p / SIZE, g / SIZE, m / SIZE, v / SIZE];
    for (let i = 0; i < n; i++) {
      const gradient = mem[g0 + i] + l2 * mem[p0 + i];
      mem[m0 + i] = beta1 * mem[m0 + i] + (1 - beta1) * gradient;
      mem[v0 + i] = beta2 * mem[v0 + i] + (1 - beta2) * gradient * gradient;
      const denominator = Math.sqrt(mem[v0 + i]) / correction + eps;
      mem[p0 + i] = shrink * mem[p0 + i] - (stepSize * mem[m0 + i]) / denominator;
    }
  }

  sgd(n: number, p: Ptr, g: Ptr, buffer: Ptr | null, step: SgdStep): void {
    const mem = this.memory.f64;
    const { lr, momentum, dampening, l2, nesterov, first } = step;
    for (let i = 0; i < n; i++) {
      const at = p / SIZE + i;
      let direction = mem[g / SIZE + i] + l2 * mem[at];
      if (buffer !== null && momentum !== 0) {
        const b = buffer / SIZE + i;
        mem[b] = first ? direction : momentum * mem[b] + (1 - dampening) * direction;
        direction = nesterov ? direction + momentum * mem[b] : mem[b];
      }
      mem[at] = mem[at] - lr * direction;
    }
  }

  gaussian(n: number, out: Ptr, key: Key, block: number): void {
    normals(n, this.memory.f64, out / SIZE, key, block);
  }

  uniform(n: number, out: Ptr, key: Key, block: number): void {
    const mem = this.memory.f64;
    const words = new Uint32Array(4);
    for (let i = 0; i < n; i++) {
      if (i % 4 === 0) philox(key, block + i / 4, words, 0);
      mem[out / SIZE + i] = (words[i % 4] >>> 8) / 2 ** 24;
    }
  }

  affinePath(
    n: number,
    coefficients: ArrayLike<number>,
    x: Ptr,
    out: Ptr,
    row: number,
    key: Key,
    stepBlocks: number,
  ): void {
    const mem = this.memory.f64;
    const z = new Float64Array(n);
    let from = x / SIZE;
    for (let k = 0; 4 * k < coefficients.length; k++) {
      const [a0, a1] = [coefficients[4 * k], coefficients[4 * k + 1]];
      const [b0, b1] = [coefficients[4 * k + 2], coefficients[4 * k + 3]];
      const to = out / SIZE + k * row;
      normals(n, z, 0, key, k * stepBlocks);
      for (let i = 0; i < n; i++) {
        const value = mem[from + i];
        mem[to + i] = value + (a0 + a1 * value) + (b0 + b1 * value) * z[i];
      }
      from = to;
    }
  }

  randomBits(n: number, out: Ptr, key: Key, block: number): void {
    const words = new Uint32Array(Math.ceil(n / 4) * 4);
    for (let i = 0; i < n; i += 4) philox(key, block + i / 4, words, i);
    new Uint32Array(this.memory.f64.buffer, out, n).set(words.subarray(0, n));
  }
}
