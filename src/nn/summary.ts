/**
 * The parts of a model: each layer with its output's shape, its parameters and its FLOP, from one forward pass.
 *
 * FLOP are counted for the kernel calls of matrix products, convolutions and attention (backend/recorder.ts), inside
 * layers or outside. A product [m,k]·[k,n] counts 2·m·k·n. A convolution counts 2·in·kh·kw for each element of its
 * result. Attention counts its two products in each head. Elementwise functions, reductions and normalisations are not
 * counted. They are a small part of a network's work, and none of them has a fixed number of operations. A row counts
 * only the module's own parameters and FLOP, not those of the modules in it. So the sum of the rows is the total.
 */
import { noGrad, scope } from '../autograd/tape.ts';
import type { Shape } from '../autograd/variable.ts';
import { type KernelCall, recordKernels } from '../backend/recorder.ts';
import { ValueError } from '../errors.ts';
import { describe } from '../options.ts';
import { zeros } from '../tensor/create.ts';
import { Tensor } from '../tensor/tensor.ts';
import { aroundForward } from './hooks.ts';
import { Layer, Module } from './module.ts';

/** One part of a model, without the modules in it. */
export interface SummaryRow {
  /** Its path in the model, '' for the model itself. */
  readonly name: string;
  /** Its class. */
  readonly type: string;
  /** The shape of its output in the last run, or null if it did not run. */
  readonly output: Shape | null;
  /** The number of trained elements. */
  readonly trainable: number;
  /** The number of elements that are saved but not trained. */
  readonly frozen: number;
  /** FLOP of matrix products, over all its runs. */
  readonly flop: number;
}

/** The parts of a model, and their totals: see `summary`. */
export interface Summary {
  /** The model itself, then its layers, and other modules that have parameters or FLOP of their own. */
  readonly rows: readonly SummaryRow[];
  /** The number of trained elements. */
  readonly trainable: number;
  /** The number of elements that are saved but not trained. */
  readonly frozen: number;
  /** FLOP of matrix products, over all layers. */
  readonly flop: number;
  /** Bytes of all elements, trained or not, in the format of their backend. */
  readonly bytes: number;
  /** The summary as a table. */
  toString(): string;
}

/**
 * Runs a model once, in evaluation mode and without gradients, and lists its layers. Parameters that several modules
 * share are counted once, for the first of them. The model is not changed.
 *
 * @param input the shape of the input of a model that takes one tensor (the input is then 0), or a function that runs
 * the model
 * @throws ValueError for a model that is not a module, or an input that is not a shape or a function. Errors of the
 * model itself are passed on.
 *
 * @example
 *   console.log(`${summary(model, [64, 784])}`);
 *   summary(network, (network) => network.forward(x, t, { labels })).trainable;
 */
export function summary<M extends Module>(model: M, input: Shape | ((model: M) => Tensor)): Summary {
  if (!(model instanceof Module)) throw new ValueError(`summary: expected a module, got ${describe(model)}`);
  const run = runOf(model, input);
  const { outputs, flops } = scope(() => noGrad(() => evaluating(model, () => measure(model, run))));
  const owned = tensorsByOwner(model);
  const rows = model
    .namedModules()
    .filter(([name, module]) => name === '' || module instanceof Layer || owned.has(name))
    .map(([name, module]): SummaryRow => {
      const [trained, rest] = [true, false].map((wanted) =>
        (owned.get(name) ?? []).filter((x) => x.requiresGrad === wanted),
      );
      return {
        name,
        type: module.constructor.name,
        output: outputs.get(module) ?? null,
        trainable: total(trained, (x) => x.size),
        frozen: total(rest, (x) => x.size),
        flop: flops.get(module) ?? 0,
      };
    });
  const totals = {
    rows,
    trainable: total(rows, (row) => row.trainable),
    frozen: total(rows, (row) => row.frozen),
    flop: total([...flops.values()], (flop) => flop),
    bytes: total([...owned.values()].flat(), (x) => x.size * x.backend.elementBytes),
  };
  return { ...totals, toString: () => table(totals) };
}

function total<T>(things: readonly T[], numberOf: (thing: T) => number): number {
  return things.reduce((sum, thing) => sum + numberOf(thing), 0);
}

/** A function that runs the model. @throws ValueError */
function runOf<M extends Module>(model: M, input: Shape | ((model: M) => Tensor)): () => Tensor {
  if (typeof input === 'function') return () => input(model);
  if (!Array.isArray(input)) {
    throw new ValueError(`summary: expected the shape of an input or a function, got ${describe(input)}`);
  }
  if (!(model instanceof Layer)) {
    throw new ValueError(
      `summary: expected a function such as (model) => model.forward(x, t), because ${model.constructor.name} is not a Layer, got the shape [${input}]`,
    );
  }
  return () => model.forward(zeros(input));
}

/** Runs `body` with the model in evaluation mode. */
function evaluating<T>(model: Module, body: () => T): T {
  const modes = model.namedModules().map(([, module]) => ({ module, training: module.training }));
  model.eval();
  try {
    return body();
  } finally {
    for (const { module, training } of modes) module.training = training;
  }
}

/** The outputs' shapes and the FLOP of each module. A product counts for the innermost layer that is running. */
function measure(
  model: Module,
  run: () => Tensor,
): { outputs: ReadonlyMap<Module, Shape>; flops: ReadonlyMap<Module, number> } {
  const outputs = new Map<Module, Shape>();
  const flops = new Map<Module, number>();
  const calls: KernelCall[] = [];
  const running: Module[] = [model];
  const charge = () => {
    const layer = running[running.length - 1];
    flops.set(layer, (flops.get(layer) ?? 0) + total(calls, ({ flop = 0 }) => flop));
    calls.length = 0;
  };
  const remove = aroundForward('summary', model, (_, layer) => (forward) => {
    charge();
    running.push(layer);
    const output = forward();
    charge();
    running.pop();
    outputs.set(layer, output.shape);
    return output;
  });
  try {
    recordKernels(() => {
      const output = run();
      if (output instanceof Tensor) outputs.set(model, output.shape);
    }, calls);
    charge();
  } finally {
    remove();
  }
  return { outputs, flops };
}

/** The tensors of a model's state, by the path of the module that owns them. Each is listed once. */
function tensorsByOwner(model: Module): Map<string, Tensor[]> {
  const owned = new Map<string, Tensor[]>();
  const seen = new Set<Tensor>();
  for (const [name, x] of model.stateDict()) {
    if (seen.has(x)) continue;
    seen.add(x);
    const owner = name.slice(0, Math.max(0, name.lastIndexOf('.')));
    owned.set(owner, [...(owned.get(owner) ?? []), x]);
  }
  return owned;
}

const digits = (n: number) => n.toLocaleString('en-US');

/** Names are aligned left, numbers right, and the totals are below. */
function table({ rows, trainable, frozen, flop, bytes }: Omit<Summary, 'toString'>): string {
  const cells = [
    ['layer', 'class', 'output', 'parameters', 'FLOP'],
    ...rows.map((row) => [
      row.name === '' ? '(model)' : row.name,
      row.type,
      row.output ? `[${row.output.join(', ')}]` : '-',
      digits(row.trainable + row.frozen),
      digits(row.flop),
    ]),
  ];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  '),
  );
  return [
    ...lines,
    `parameters: ${digits(trainable + frozen)} (${digits(trainable)} trainable, ${digits(frozen)} frozen), ${digits(bytes)} bytes`,
    `products: ${digits(flop)} FLOP`,
  ].join('\n');
}
