/**
 * The ABI of the kernels in one table: for each exported function the fields of its record, in the order in which
 * assembly/records.ts declares them, and how its work is cut. Writing records and sharing work among threads follow
 * from it. test/abi.test.ts holds the table against the exported functions, field by field.
 *
 * A field of the contract (kernels.ts) becomes one or several words of the record: a matrix its address and whether it
 * is transposed, a view its address and two strides, a target its address and whether it accumulates, a key its seed
 * and stream.
 */
import { ACTIVATION, NONLINEAR, UNARY, type UnaryName } from './formulas.ts';
import type * as K from './kernels.ts';
import { BINARY, type BinaryName, RANDOM, REDUCE } from './kernels.ts';
import {
  type Bounds,
  EXPENSIVE_GRAIN,
  GRAIN,
  gemmBoxes,
  pathRanges,
  ranges,
  rowRanges,
} from './partition.ts';

/** A word of a record: AssemblyScript's type, and the bytes that it takes, which are also its alignment. */
export const WORD_BYTES = { i32: 4, f32: 4, usize: 4, f64: 8, u64: 8 } as const;
export type Word = keyof typeof WORD_BYTES;

/** The words of each type of field: the suffix of their names, and their types. */
export const FIELD_TYPES = {
  i32: [['', 'i32']],
  f32: [['', 'f32']],
  f64: [['', 'f64']],
  u64: [['', 'u64']],
  flag: [['', 'i32']],
  ptr: [['', 'usize']],
  activation: [['', 'i32']],
  matrix: [
    ['', 'usize'],
    ['T', 'i32'],
  ],
  view: [
    ['', 'usize'],
    ['Row', 'i32'],
    ['Col', 'i32'],
  ],
  target: [
    ['', 'usize'],
    ['accumulate', 'i32'],
  ],
  key: [
    ['seed', 'u64'],
    ['stream', 'u64'],
  ],
} as const satisfies Record<string, readonly (readonly [string, Word])[]>;
export type FieldType = keyof typeof FIELD_TYPES;

/** What a field of the contract may be in the table. */
type TypeOf<T> = [T] extends [boolean | undefined]
  ? 'flag'
  : [T] extends [K.ActivationName | undefined]
    ? 'activation'
    : [T] extends [number | null | undefined]
      ? 'i32' | 'f32' | 'f64' | 'u64' | 'ptr'
      : [T] extends [K.Matrix]
        ? 'matrix'
        : [T] extends [K.View2d]
          ? 'view'
          : [T] extends [K.Target]
            ? 'target'
            : [T] extends [K.Key]
              ? 'key'
              : never;

/** The fields of the record R, none missing and none beside them. */
type FieldsOf<R> = { readonly [F in keyof Required<R>]: TypeOf<Required<R>[F]> };

/** A field with its place in the record, in bytes. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly at: number;
}

export interface KernelAbi {
  readonly fields: readonly Field[];
  /** Bytes of the record. */
  readonly bytes: number;
  /** The chunks of the work that a record describes. */
  partition(record: never): Bounds[];
}

const align = (at: number, word: Word) => Math.ceil(at / WORD_BYTES[word]) * WORD_BYTES[word];

/** Where the words of a field lie that begins at `at` or after. */
export function placesOf(type: FieldType, at: number): { suffix: string; word: Word; at: number }[] {
  return FIELD_TYPES[type].map(([suffix, word]) => {
    const place = align(at, word);
    at = place + WORD_BYTES[word];
    return { suffix, word, at: place };
  });
}

function kernel<R>(fields: FieldsOf<R>, partition: (record: R) => Bounds[]): KernelAbi {
  let bytes = 0;
  const placed = Object.entries<FieldType>(fields).map(([name, type]): Field => {
    const places = placesOf(type, bytes);
    const last = places[places.length - 1];
    bytes = last.at + WORD_BYTES[last.word];
    return { name, type, at: places[0].at };
  });
  return { fields: placed, bytes, partition };
}

const family = <N extends string>(names: readonly N[], of: (name: N) => KernelAbi) =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as Record<N, KernelAbi>;

/** Functions that cost so much an element that a smaller chunk pays. */
const EXPENSIVE: ReadonlySet<string> = new Set([
  'exp',
  'log',
  'sigmoid',
  'tanh',
  'silu',
  'pow',
  'siluBackward',
]);
const grainOf = (name: string) => (EXPENSIVE.has(name) ? EXPENSIVE_GRAIN : GRAIN);

const elements =
  (grain: number) =>
  ({ n }: { readonly n: number }) =>
    ranges(n, 1, grain);
const rows = (grain: number) => (record: { readonly rows: number; readonly cols: number }) =>
  rowRanges(record, grain);
/** Work that one thread does. */
const whole = (): Bounds[] => [[0, 1]];

/** Elements that assembly/reduce.ts adds in float32 before float64 takes over. */
export const SUM_BLOCK = 4096;
const blocks = ({ n }: { readonly n: number }) => ranges(Math.ceil(n / SUM_BLOCK), SUM_BLOCK, GRAIN);

/** Partial sums of a long row, which the WebAssembly backend adds in order. */
export interface SumBlocks {
  readonly n: number;
  readonly x: K.Ptr;
  readonly partials: K.Ptr;
}
export interface SquaredErrorBlocks {
  readonly n: number;
  readonly a: K.Ptr;
  readonly b: K.Ptr;
  readonly partials: K.Ptr;
}
export interface Total {
  readonly total: number;
  readonly alpha: number;
  readonly out: K.Target;
}

const BOUNDS = { lo: 'f32', hi: 'f32' } as const;
const BINARY_FIELDS = { rows: 'i32', cols: 'i32', a: 'view', b: 'view', out: 'target' } as const;
const sumBlocks = kernel<SumBlocks>({ n: 'i32', x: 'ptr', partials: 'ptr' }, blocks);

const unaryBackwardName = <N extends UnaryName>(name: N) => `${name}Backward` as const;
const binaryBackwardNames = NONLINEAR.flatMap((name) => [`${name}BackwardA`, `${name}BackwardB`] as const);

/** Every exported kernel. */
export const ABI = {
  gemm: kernel<K.Gemm>(
    {
      m: 'i32',
      n: 'i32',
      k: 'i32',
      a: 'matrix',
      b: 'matrix',
      bias: 'ptr',
      activation: 'activation',
      out: 'target',
    },
    gemmBoxes,
  ),
  ...family(UNARY, (name) =>
    kernel<K.Unary>({ n: 'i32', x: 'ptr', out: 'target', ...BOUNDS }, elements(grainOf(name))),
  ),
  ...family(UNARY.map(unaryBackwardName), (name) =>
    kernel<K.UnaryBackward>(
      { n: 'i32', dy: 'ptr', kept: 'ptr', out: 'target', ...BOUNDS },
      elements(grainOf(name)),
    ),
  ),
  ...family(BINARY, (name: BinaryName) => kernel<K.Binary>(BINARY_FIELDS, rows(grainOf(name)))),
  ...family(binaryBackwardNames, (name) =>
    kernel<K.BinaryBackward>(
      { rows: 'i32', cols: 'i32', dy: 'ptr', y: 'ptr', a: 'view', b: 'view', out: 'target' },
      rows(name.startsWith('pow') ? EXPENSIVE_GRAIN : GRAIN),
    ),
  ),
  where: kernel<K.Where>(
    { rows: 'i32', cols: 'i32', condition: 'view', a: 'view', b: 'view', out: 'target' },
    rows(GRAIN),
  ),
  copy: kernel<K.Copy>(
    { rows: 'i32', cols: 'i32', alpha: 'f32', x: 'view', y: 'view', accumulate: 'flag' },
    rows(GRAIN),
  ),
  fill: kernel<K.Fill>({ n: 'i32', out: 'ptr', value: 'f32' }, ({ n }) => [[0, n]]),
  ...family(REDUCE, () =>
    kernel<K.Reduce>(
      { outer: 'i32', n: 'i32', inner: 'i32', x: 'ptr', alpha: 'f32', out: 'target' },
      ({ outer, n, inner }) => ranges(outer, n * inner, GRAIN),
    ),
  ),
  sumBlocks,
  sumSquaresBlocks: sumBlocks,
  squaredErrorBlocks: kernel<SquaredErrorBlocks>({ n: 'i32', a: 'ptr', b: 'ptr', partials: 'ptr' }, blocks),
  storeTotal: kernel<Total>({ total: 'f64', alpha: 'f32', out: 'target' }, whole),
  mse: kernel<K.Mse>({ n: 'i32', a: 'ptr', b: 'ptr', out: 'ptr' }, whole),
  mseBackward: kernel<K.MseBackward>(
    { n: 'i32', a: 'ptr', b: 'ptr', dy: 'ptr', scale: 'f32', out: 'target' },
    elements(GRAIN),
  ),
  adam: kernel<K.Adam>(
    {
      n: 'i32',
      p: 'ptr',
      g: 'ptr',
      m: 'ptr',
      v: 'ptr',
      stepSize: 'f32',
      beta1: 'f64',
      beta2: 'f64',
      eps: 'f32',
      correction: 'f32',
      l2: 'f32',
      shrink: 'f32',
    },
    elements(EXPENSIVE_GRAIN),
  ),
  sgd: kernel<K.Sgd>(
    {
      n: 'i32',
      p: 'ptr',
      g: 'ptr',
      buffer: 'ptr',
      lr: 'f32',
      momentum: 'f32',
      dampening: 'f32',
      l2: 'f32',
      nesterov: 'flag',
      first: 'flag',
    },
    elements(GRAIN),
  ),
  ...family(RANDOM, (name) =>
    kernel<K.Random>(
      { n: 'i32', out: 'ptr', key: 'key', block: 'u64' },
      elements(name === 'randomBits' ? GRAIN : EXPENSIVE_GRAIN),
    ),
  ),
  affinePath: kernel<K.AffinePath>(
    {
      n: 'i32',
      steps: 'i32',
      coefficients: 'ptr',
      x: 'ptr',
      out: 'ptr',
      row: 'i32',
      key: 'key',
      stepBlocks: 'i32',
    },
    pathRanges,
  ),
} as const;

export type KernelName = keyof typeof ABI;

/** Bytes that the largest record takes, whole words of 8. */
export const RECORD_BYTES = align(Math.max(...Object.values(ABI).map(({ bytes }) => bytes)), 'f64');

/** The codes of assembly/elementwise/activation.ts. */
const ACTIVATION_CODE: Readonly<Record<string, number>> = Object.fromEntries(
  ACTIVATION.map((name, code) => [name, code]),
);

type Value = number | boolean | string | null | undefined;

/** Writes records to one place of a memory. */
export class RecordWriter {
  private readonly i32: Int32Array;
  private readonly u32: Uint32Array;
  private readonly f32: Float32Array;
  private readonly f64: Float64Array;

  /** @param buffer stays valid when the memory grows, since it is shared */
  constructor(
    buffer: ArrayBufferLike,
    readonly at: K.Ptr,
  ) {
    this.i32 = new Int32Array(buffer, at, RECORD_BYTES / 4);
    this.u32 = new Uint32Array(buffer, at, RECORD_BYTES / 4);
    this.f32 = new Float32Array(buffer, at, RECORD_BYTES / 4);
    this.f64 = new Float64Array(buffer, at, RECORD_BYTES / 8);
  }

  /** Writes each field of a record to its place. A field that is not given is 0. */
  write(fields: readonly Field[], record: object): void {
    const { i32, u32, f32, f64 } = this;
    for (let i = 0; i < fields.length; i++) {
      const { name, type, at } = fields[i];
      const value = (record as Record<string, Value | K.Matrix | K.View2d | K.Target | K.Key>)[name];
      const word = at >> 2;
      switch (type) {
        case 'i32':
        case 'flag':
          i32[word] = value as number;
          break;
        case 'ptr':
          u32[word] = (value ?? 0) as number;
          break;
        case 'f32':
          f32[word] = (value ?? 0) as number;
          break;
        case 'f64':
          f64[at >> 3] = value as number;
          break;
        case 'u64':
          u32[word] = value as number;
          u32[word + 1] = Math.floor((value as number) / 2 ** 32);
          break;
        case 'activation':
          i32[word] = ACTIVATION_CODE[(value ?? 'none') as string];
          break;
        case 'matrix':
          u32[word] = (value as K.Matrix).ptr;
          i32[word + 1] = Number((value as K.Matrix).transposed);
          break;
        case 'view':
          u32[word] = (value as K.View2d).ptr;
          i32[word + 1] = (value as K.View2d).row;
          i32[word + 2] = (value as K.View2d).col;
          break;
        case 'target':
          u32[word] = (value as K.Target).ptr;
          i32[word + 1] = Number((value as K.Target).accumulate);
          break;
        case 'key':
          u32.set((value as K.Key).seed, word);
          u32.set((value as K.Key).stream, word + 2);
          break;
      }
    }
  }
}
