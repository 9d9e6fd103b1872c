/**
 * Records the kernel calls of a program while it runs, so that each can be inspected, repeated and timed on its own. A
 * repeated call with the same record on the same memory does the same arithmetic.
 */
import { backend } from './backend.ts';
import type {
  Attention,
  Binary,
  ConvSizes,
  Copy,
  Cumsum,
  Gather,
  Gemm,
  GemmBatch,
  GroupNorm,
  Kernels,
  PoolSizes,
  Reduce,
  Softmax,
} from './kernels.ts';
import { convPlaces } from './kernels.ts';

export interface KernelCall {
  readonly kernel: keyof Kernels;
  /** The kernel and its variant: `gemm NT`, `relu`, `sum`. */
  readonly label: string;
  /** The sizes; M x K x N for a product. */
  readonly shape: string;
  /** Floating-point operations, for products. */
  readonly flop?: number;
  /** The arguments of the kernel. The record is the last one. */
  readonly args: readonly unknown[];
  /** Calls the kernel again. */
  run(): void;
}

type AnyKernel = (...args: unknown[]) => void;

/** Runs `body` with other kernels in place of the backend's. */
export function withKernels<T>(kernels: Kernels, body: () => T): T {
  const engine = backend() as { kernels: Kernels };
  const own = engine.kernels;
  engine.kernels = kernels;
  try {
    return body();
  } finally {
    engine.kernels = own;
  }
}

/** Runs `body` and returns its kernel calls, in order. They are added to `calls` while it runs. */
export function recordKernels(body: () => void, calls: KernelCall[] = []): KernelCall[] {
  const recorder = new Proxy(backend().kernels, {
    get(target, kernel: keyof Kernels) {
      const run = target[kernel] as AnyKernel;
      return (...args: unknown[]) => {
        calls.push({ kernel, ...describe(kernel, args), args, run: () => run.apply(target, args) });
        run.apply(target, args);
      };
    },
  });
  withKernels(recorder, body);
  return calls;
}

function describe(
  kernel: keyof Kernels,
  args: readonly unknown[],
): Pick<KernelCall, 'label' | 'shape' | 'flop'> {
  const record = args[args.length - 1];
  const plane = ({ rows, cols }: Binary | Copy) => (rows === 1 ? String(cols) : `${rows}x${cols}`);
  switch (kernel) {
    case 'gemm': {
      const { m, n, k, a, b, activation = 'none' } = record as Gemm;
      const form = `${a.transposed ? 'T' : 'N'}${b.transposed ? 'T' : 'N'}`;
      const label = `gemm ${form}${activation === 'none' ? '' : ` ${activation}`}`;
      return { label, shape: `${m}x${k}x${n}`, flop: 2 * m * k * n };
    }
    case 'gemmBatch': {
      const { batch, m, n, k, a, b } = record as GemmBatch;
      const form = `${a.transposed ? 'T' : 'N'}${b.transposed ? 'T' : 'N'}`;
      return { label: `gemm ${form}`, shape: `${batch}x${m}x${k}x${n}`, flop: 2 * batch * m * k * n };
    }
    case 'conv2d':
    case 'conv2dInputGradient':
    case 'conv2dWeightGradient': {
      const sizes = record as ConvSizes;
      const { batch, height, width, inChannels, outChannels, kernelHeight, kernelWidth, groups } = sizes;
      const [h, w] = convPlaces(sizes);
      const weights = (outChannels * kernelHeight * kernelWidth * inChannels) / groups;
      return {
        label: `${kernel} ${kernelHeight}x${kernelWidth}`,
        shape: `${batch}x${height}x${width} ${inChannels}->${outChannels}`,
        flop: 2 * batch * h * w * weights,
      };
    }
    case 'attention':
    case 'attentionBackward': {
      const { batch, heads, queries, keys, dim, valueDim } = record as Attention;
      // The backward pass computes the scores again, and two products for each of the two forward products.
      const products = kernel === 'attention' ? dim + valueDim : 3 * dim + 2 * valueDim;
      return {
        label: kernel,
        shape: `${batch}x${queries}x${keys} ${heads}x${dim}`,
        flop: 2 * batch * heads * queries * keys * products,
      };
    }
    case 'unaryBackward':
      return { label: `${args[0]}Backward`, shape: String((record as { n: number }).n) };
    case 'binary':
      return { label: String(args[0]), shape: plane(record as Binary) };
    case 'binaryBackward':
      return { label: `${args[0]}Backward ${args[1]}`, shape: plane(record as Binary) };
    case 'where':
    case 'copy':
      return { label: kernel, shape: plane(record as Copy) };
    case 'softmax':
    case 'softmaxBackward': {
      const { rows, cols } = record as Softmax;
      return {
        label: kernel === 'softmax' ? String(args[0]) : `${args[0]}Backward`,
        shape: `${rows}x${cols}`,
      };
    }
    case 'gather':
    case 'scatterAdd': {
      const { outer, n, m, inner } = record as Gather;
      return { label: kernel, shape: `${outer}x${n}x${inner} ${m}` };
    }
    case 'cumsum': {
      const { outer, n, inner } = record as Cumsum;
      return { label: kernel, shape: `${outer}x${n}x${inner}` };
    }
    case 'reduce': {
      const { outer, n, inner } = record as Reduce;
      return { label: String(args[0]), shape: `${outer}x${n}x${inner}` };
    }
    case 'groupNorm':
    case 'groupNormBackward': {
      const { batch, positions, channels, silu } = record as GroupNorm;
      return { label: silu ? `${kernel} silu` : kernel, shape: `${batch}x${positions}x${channels}` };
    }
    case 'averagePool':
    case 'averagePoolBackward':
    case 'maxPool':
    case 'maxPoolBackward':
    case 'pixelShuffle':
    case 'pixelUnshuffle': {
      const { batch, height, width, channels } = record as PoolSizes;
      return { label: kernel, shape: `${batch}x${height}x${width}x${channels}` };
    }
    default:
      return {
        label: args.length > 1 ? String(args[0]) : kernel,
        shape: String((record as { n: number }).n),
      };
  }
}
