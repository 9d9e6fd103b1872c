/**
 * A pen: it draws smooth strokes through given points, as antialiased ink in a 20x20 box. Then the box is placed in a
 * 28x28 picture so that its centre of mass is in the middle. MNIST was made in the same way (LeCun, Cortes and Burges,
 * "The MNIST database of handwritten digits").
 *
 * Curve: Catmull-Rom with centripetal knots. Its inner segments have no cusp and no loop (Yuksel, Schaefer and Keyser
 * 2011, "Parameterization and applications of Catmull-Rom curves"). Each segment is a cubic Hermite curve, drawn as
 * `PIECES` straight pieces. Ink: the pen's radius minus the distance from the pixel's centre to a piece, mapped to [0,
 * 1] by a linear ramp `EDGE` pixels wide. A pixel takes the maximum over all pieces, so a crossing is not brighter than
 * a stroke.
 *
 * Only + - * / and square roots are used, so the bytes are the same on every engine. Drawing allocates no memory.
 */

/** Side of the picture in pixels. */
export const SIDE = 28;
/** Side of the box that holds the ink. */
export const BOX = 20;
/** Straight pieces per segment. Their distance from the curve is 0.02 pixels (median), at most 0.16. */
const PIECES = 4;
/** Width in pixels of the ramp from full ink to none. It makes the edges as soft as those of MNIST. */
const EDGE = 1.3;
/** The most vertices of a drawing. No digit needs as many. */
const CAPACITY = 256;

/** Strokes as chains of straight pieces. `lift` is 1 at a vertex that begins a stroke. */
export class Pen {
  readonly #x = new Float64Array(CAPACITY);
  readonly #y = new Float64Array(CAPACITY);
  readonly #radius = new Float64Array(CAPACITY);
  readonly #lift = new Uint8Array(CAPACITY);
  #count = 0;

  /** Removes all strokes. */
  clear(): void {
    this.#count = 0;
  }

  #vertex(x: number, y: number, radius: number, lift: 0 | 1): void {
    const i = this.#count++;
    this.#x[i] = x;
    this.#y[i] = y;
    this.#radius[i] = radius;
    this.#lift[i] = lift;
  }

  /**
   * Draws one stroke through the points `from` to `to` (exclusive) of `xs`, `ys`, in any unit. `radii` are the pen's
   * radii at the points, in pixels. A point equal to the one before it is a corner.
   */
  stroke(xs: Float64Array, ys: Float64Array, radii: Float64Array, from: number, to: number): void {
    this.#vertex(xs[from], ys[from], radii[from], 1);
    for (let i = from; i + 1 < to; i++) {
      const dx = xs[i + 1] - xs[i];
      const dy = ys[i + 1] - ys[i];
      const d = spacing(dx, dy);
      if (d === 0) continue;
      // Chords and knot distances before and after the segment. A distance of 0 is an end of the stroke, or a corner.
      const first = i === from;
      const last = i + 2 === to;
      const ax = first ? 0 : xs[i] - xs[i - 1];
      const ay = first ? 0 : ys[i] - ys[i - 1];
      const bx = last ? 0 : xs[i + 2] - xs[i + 1];
      const by = last ? 0 : ys[i + 2] - ys[i + 1];
      const a = spacing(ax, ay);
      const b = spacing(bx, by);
      const mx0 = velocity(ax, a, dx, d, bx, b);
      const my0 = velocity(ay, a, dy, d, by, b);
      const mx1 = velocity(bx, b, dx, d, ax, a);
      const my1 = velocity(by, b, dy, d, ay, a);
      for (let k = 1; k <= PIECES; k++) {
        const t = k / PIECES;
        const h = t * t * (3 - 2 * t);
        const h0 = t * (1 - t) * (1 - t);
        const h1 = t * t * (t - 1);
        const x = xs[i] + h * dx + h0 * mx0 + h1 * mx1;
        const y = ys[i] + h * dy + h0 * my0 + h1 * my1;
        this.#vertex(x, y, radii[i] + t * (radii[i + 1] - radii[i]), 0);
      }
    }
  }

  /**
   * Scales the drawing so that the longer side of its ink is `size` pixels, and moves it to the middle of the box.
   */
  fit(size: number): void {
    let left = this.#x[0];
    let right = left;
    let top = this.#y[0];
    let bottom = top;
    let radius = 0;
    for (let i = 0; i < this.#count; i++) {
      left = Math.min(left, this.#x[i]);
      right = Math.max(right, this.#x[i]);
      top = Math.min(top, this.#y[i]);
      bottom = Math.max(bottom, this.#y[i]);
      radius = Math.max(radius, this.#radius[i]);
    }
    const scale = (size - 2 * radius - EDGE) / Math.max(right - left, bottom - top);
    const x0 = (BOX - scale * (left + right)) / 2;
    const y0 = (BOX - scale * (top + bottom)) / 2;
    for (let i = 0; i < this.#count; i++) {
      this.#x[i] = x0 + scale * this.#x[i];
      this.#y[i] = y0 + scale * this.#y[i];
    }
  }

  /** Renders the drawing into `box` (BOX * BOX bytes, row by row, 255 is full ink). */
  render(box: Uint8Array): void {
    box.fill(0);
    for (let i = 1; i < this.#count; i++) if (!this.#lift[i]) this.#renderPiece(box, i);
  }

  #renderPiece(box: Uint8Array, i: number): void {
    const x0 = this.#x[i - 1];
    const y0 = this.#y[i - 1];
    const dx = this.#x[i] - x0;
    const dy = this.#y[i] - y0;
    const r0 = this.#radius[i - 1] + EDGE / 2;
    const dr = this.#radius[i] + EDGE / 2 - r0;
    const length2 = dx * dx + dy * dy;
    const perLength2 = length2 > 0 ? 1 / length2 : 0;
    // The centre of pixel c is at c + 1/2.
    const reach = Math.max(r0, r0 + dr);
    const left = Math.max(0, Math.floor(Math.min(x0, x0 + dx) - reach + 0.5));
    const right = Math.min(BOX - 1, Math.floor(Math.max(x0, x0 + dx) + reach - 0.5));
    const top = Math.max(0, Math.floor(Math.min(y0, y0 + dy) - reach + 0.5));
    const bottom = Math.min(BOX - 1, Math.floor(Math.max(y0, y0 + dy) + reach - 0.5));
    for (let row = top; row <= bottom; row++) {
      const py = row + 0.5 - y0;
      for (let column = left; column <= right; column++) {
        const px = column + 0.5 - x0;
        const t = Math.min(1, Math.max(0, (px * dx + py * dy) * perLength2));
        const ex = px - t * dx;
        const ey = py - t * dy;
        const distance2 = ex * ex + ey * ey;
        const outer = r0 + t * dr;
        if (distance2 >= outer * outer) continue;
        const coverage = Math.min(1, (outer - Math.sqrt(distance2)) / EDGE);
        const value = Math.floor(255 * coverage + 0.5);
        const k = row * BOX + column;
        if (value > box[k]) box[k] = value;
      }
    }
  }
}

/** The centripetal knot distance: the square root of a chord's length. */
function spacing(dx: number, dy: number): number {
  return Math.sqrt(Math.sqrt(dx * dx + dy * dy));
}

/**
 * The derivative dP/dt at one end of a segment with chord v and knot distance d, for t from 0 to 1 over the segment.
 * `u` and `a` are the chord and the distance beyond this end, `w` and `b` those beyond the other end. If the curve goes
 * on at this end, the derivative follows from divided differences. If it ends here, m = 2 v - m' makes the cubic a
 * parabola, which continues the curvature up to the end.
 */
function velocity(u: number, a: number, v: number, d: number, w: number, b: number): number {
  if (a > 0) return d * (u / a - (u + v) / (a + d) + v / d);
  if (b > 0) return 2 * v - d * (v / d - (v + w) / (d + b) + w / b);
  return v;
}

/**
 * Copies `box` into the black picture `pixels` (SIDE * SIDE bytes). Its centre of mass is then within half a pixel of
 * pixel (14, 14), or as near to it as a free border of one pixel allows.
 */
export function centre(box: Uint8Array, pixels: Uint8Array): void {
  let mass = 0;
  let mx = 0;
  let my = 0;
  for (let y = 0, k = 0; y < BOX; y++)
    for (let x = 0; x < BOX; x++, k++) {
      mass += box[k];
      mx += box[k] * x;
      my += box[k] * y;
    }
  const most = SIDE - BOX - 1;
  const left = Math.min(most, Math.max(1, Math.floor(SIDE / 2 - mx / mass + 0.5)));
  const top = Math.min(most, Math.max(1, Math.floor(SIDE / 2 - my / mass + 0.5)));
  for (let y = 0, k = 0; y < BOX; y++) {
    const row = (top + y) * SIDE + left;
    for (let x = 0; x < BOX; x++, k++) pixels[row + x] = box[k];
  }
}
