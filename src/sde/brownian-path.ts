/**
 * A Brownian path W on [t0, t1]. `increment(s, t)` returns W(t) - W(s) for any interval. The order of the calls does
 * not change the results. Memory does not grow with the number of calls or with the resolution.
 *
 * The path is a binary tree: each node is an interval, and its children are the two halves. Given the increment over
 * a node, the increments over its halves follow the law of a Brownian bridge. The normals of the bridge are a pure
 * function of (seed, node), so only the nodes of the last descent are stored. With `area: true` each node has its
 * space-time Lévy area H too. A node of length h with increment W and area H has the halves
 *
 *   W_left = W/2 + 3H/2 + Z,   H_left = H/4 - Z/2 + N/2,   H_right = H/4 - Z/2 - N/2,
 *
 * where Z ~ N(0, h/16) and N ~ N(0, h/12).
 *
 * A node of the last level is a cell, (t1 - t0)/2^depth long. A point inside a cell is one more bridge step. So the
 * increments have the exact joint law if no two times lie inside one cell. W is continuous inside a cell. An
 * increment is the sum over the nodes that cover its interval. So it has no cancellation, and increments are additive
 * up to rounding.
 *
 * Source: Foster, Lyons and Oberhauser, "An optimal polynomial approximation of Brownian motion" (2020), for the
 * bridge with H; Li, Wong, Chen and Duvenaud, "Scalable gradients for SDEs" (2020), for the virtual tree.
 */
import { noGrad, scope } from '../autograd/tape.ts';
import { type Shape, sizeOf } from '../autograd/variable.ts';
import { ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import { checkRng, type Rng } from '../random/rng.ts';
import { empty, zeros } from '../tensor/create.ts';
import { checkShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { bridgeAt, combine, halve, type Piece } from './brownian-bridge.ts';
import { GROUP, type Increment, type NoiseSource } from './increments.ts';

/** Options of `BrownianPath`. */
export interface BrownianPathOptions {
  /** The time at which the path begins. Default 0. */
  readonly t0?: number;
  /** The time at which the path ends. */
  readonly t1: number;
  /** Whether to make space-time Lévy areas too. A path with areas has other increments than one without. */
  readonly area?: boolean;
  /** The number of levels of the tree: the shortest exact step is (t1 - t0)/2^depth. Default 24. */
  readonly depth?: number;
}

/** The two halves of the node that was last expanded at a level. */
interface Expanded {
  index: number;
  readonly halves: readonly [Piece, Piece];
}

/** A time this close to a cell's boundary, in cells, is moved to it: rounding in k·dt must not miss the boundary. */
const SNAP = 2 ** -16;

export class BrownianPath implements NoiseSource {
  readonly t0: number;
  /** The time at which the path ends. */
  readonly t1: number;
  private readonly area: boolean;
  private readonly depth: number;
  private readonly root: Piece;
  private readonly levels: Expanded[] = [];
  private readonly rng: Rng;

  /**
   * @param rng the path is a function of its seed and stream; the generator does not advance
   * @param shape the shape of W: each element is an independent motion
   * @throws ValueError for an empty interval or a depth outside 1 to 32
   */
  constructor(
    rng: Rng,
    readonly shape: Shape,
    options: BrownianPathOptions,
  ) {
    const { t0, t1, area, depth } = withDefaults('Brownian path', options, {
      t0: 0,
      t1: undefined,
      area: false,
      depth: 24,
    });
    checkRng('Brownian path', rng);
    if (!(Number.isFinite(t0) && Number.isFinite(t1) && t0 < t1)) {
      throw new ValueError(`Brownian path: expected finite times t0 < t1, got ${t0} and ${t1}`);
    }
    if (!Number.isInteger(depth) || depth < 1 || depth > 32) {
      throw new ValueError(`Brownian path: expected a depth of 1 to 32, got ${depth}`);
    }
    checkShape('Brownian path', shape);
    [this.t0, this.t1, this.area, this.depth] = [t0, t1, area, depth];
    this.rng = rng.stream('brownian-tree');
    this.root = noGrad(() => scope(() => this.kept(this.rootPiece())));
  }

  /**
   * The increment (and area) of W over [s, t]. The tensors belong to the current scope.
   * @throws ValueError for times outside of the path or in the wrong order
   */
  increment(s: number, t: number): Increment {
    if (!(s <= t && s >= this.t0 && t <= this.t1)) {
      throw new ValueError(
        `Brownian path: expected times ${this.t0} <= s <= t <= ${this.t1}, got s = ${s}, t = ${t}`,
      );
    }
    const [from, to] = [this.cells(s), this.cells(t)];
    if (from >= to) return { dW: zeros(this.shape), ...(this.area ? { area: zeros(this.shape) } : {}) };
    // The outputs come first: the descent has a scope of its own, which frees all that it allocates.
    const dW = empty(this.shape);
    const area = this.area ? empty(this.shape) : null;
    noGrad(() =>
      scope(() => {
        const piece = this.descend(0, 0, this.root, from, to);
        dW.copyFrom(piece.w);
        area?.copyFrom(piece.h!);
      }),
    );
    return area ? { dW, area } : { dW };
  }

  /** W(t), with W(t0) = 0. */
  at(t: number): Tensor {
    return this.increment(this.t0, t).dW;
  }

  /** Frees the nodes of the last descent. */
  dispose(): void {
    for (const { halves } of this.levels) for (const piece of halves) this.release(piece);
    this.levels.length = 0;
    this.release(this.root);
  }

  /** A time, measured in cells from t0. */
  private cells(t: number): number {
    const at = ((t - this.t0) / (this.t1 - this.t0)) * 2 ** this.depth;
    const boundary = Math.round(at);
    return Math.abs(at - boundary) < SNAP ? boundary : at;
  }

  /** The part of [from, to] that lies in node `index` of `level`. That part must not be empty. */
  private descend(level: number, index: number, node: Piece, from: number, to: number): Piece {
    const cells = 2 ** (this.depth - level);
    const begin = index * cells;
    // Copy it: the next node that is expanded at this level overwrites the halves.
    if (from <= begin && to >= begin + cells) {
      return { w: node.w.detach(), h: node.h?.detach() ?? null, span: node.span };
    }
    if (cells === 1) return this.within(index, node, Math.max(0, from - begin), Math.min(1, to - begin));
    const [left, right] = this.expand(level, index, node);
    const middle = begin + cells / 2;
    if (to <= middle) return this.descend(level + 1, 2 * index, left, from, to);
    if (from >= middle) return this.descend(level + 1, 2 * index + 1, right, from, to);
    const first = this.descend(level + 1, 2 * index, left, from, to);
    return combine(first, this.descend(level + 1, 2 * index + 1, right, from, to));
  }

  /** The part [from, to] of a cell; `from` and `to` are fractions of the cell. */
  private within(index: number, cell: Piece, from: number, to: number): Piece {
    const noise = this.noise(2 ** this.depth + index);
    return bridgeAt(cell, noise, from, to);
  }

  private expand(level: number, index: number, node: Piece): readonly [Piece, Piece] {
    const cached = this.levels[level];
    if (cached?.index === index) return cached.halves;
    const made = scope(() => {
      const halves = halve(node, this.noise(2 ** level + index));
      if (!cached) return halves.map((piece) => this.kept(piece)) as [Piece, Piece];
      for (const [i, piece] of halves.entries()) {
        cached.halves[i].w.copyFrom(piece.w);
        if (piece.h) cached.halves[i].h!.copyFrom(piece.h);
      }
      return null;
    });
    if (made) this.levels[level] = { index, halves: made };
    else cached!.index = index;
    return this.levels[level].halves;
  }

  private rootPiece(): Piece {
    const span = this.t1 - this.t0;
    const [z, n] = this.noise(0);
    return { w: z.mul(Math.sqrt(span)), h: n ? n.mul(Math.sqrt(span / 12)) : null, span };
  }

  /** The normals of a node: one array, or two if the path has areas. */
  private noise(node: number): readonly [Tensor, Tensor | null] {
    const blocks = Math.ceil(sizeOf(this.shape) / GROUP) * 4;
    const draw = (place: number) => {
      const z = empty(this.shape);
      z.backend.kernels.random('gaussian', {
        n: z.size,
        out: z.ptr,
        key: this.rng.key,
        block: place * blocks,
      });
      return z;
    };
    return this.area ? [draw(2 * node), draw(2 * node + 1)] : [draw(node), null];
  }

  private kept(piece: Piece): Piece {
    return { w: piece.w.keep(), h: piece.h?.keep() ?? null, span: piece.span };
  }

  private release(piece: Piece): void {
    piece.w.dispose();
    piece.h?.dispose();
  }
}
