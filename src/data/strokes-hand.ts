/**
 * The random shape of a digit of `strokes`. It chooses a form, a pen and a posture at random. Then it turns the form's
 * masters (`glyphs.ts`) into the points of the pen's path. The steps are: a random blend of the masters, a quadratic
 * warp of the plane, a shift of each point, a shift of each stroke after the first, and then stretch, slant and
 * rotation. The unit of length is half the height of a glyph. No sine, cosine or power is used, so that the bytes are
 * the same on every engine.
 */
import { type GlyphForm, glyphs } from './glyphs.ts';

/** The attributes of a drawn digit. */
export interface StrokeAttributes {
  /** 0 to 9. */
  readonly digit: number;
  /**
   * The name of the form, such as `crossed` for a seven with a bar; `plain` for the usual form.
   */
  readonly form: string;
  /** Mean width of the pen in pixels, 0.9 to 4, mostly 1.8 to 3.4. */
  readonly thickness: number;
  /** The longer side of the ink in pixels, 16 to 20. */
  readonly size: number;
  /** Shear dx/dy, positive if the top leans to the right; -0.3 to 0.6. */
  readonly slant: number;
  /** Horizontal stretch, 0.75 to 1.25. */
  readonly width: number;
  /** Sine of the angle, clockwise; -0.12 to 0.12. */
  readonly rotation: number;
  /** The size of the random shifts, relative to the average; 0.5 to 1.5. */
  readonly shake: number;
}

/** A source of numbers in [0, 1). */
export type Uniform = () => number;

/** The points of the last digit. `radii` are the pen's radii in pixels. */
export interface Skeleton {
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  readonly radii: Float64Array;
  /** The index of the first point of each stroke. The last entry is the number of points. */
  readonly strokes: Int32Array;
}

/** The largest shift of a point if `shake` is 1. */
const JITTER = 0.12;
/** The largest coefficient of the warp. */
const BEND = 0.16;
/** The largest shift of a stroke after the first. */
const DRIFT = 0.08;
/** The largest relative deviation of the radius at a point from the pen's mean radius. */
const PRESSURE = 0.16;

const most = (of: (f: GlyphForm) => number) => Math.max(...glyphs.flat().map(of));
const xs = new Float64Array(most((f) => f.masters[0].length / 2));
const ys = new Float64Array(xs.length);
const radii = new Float64Array(xs.length);
const blend = new Float64Array(most((f) => f.masters.length));

/** A random number with the triangular law on (-1, 1), of standard deviation 0.41. */
function wobble(u: Uniform): number {
  return u() + u() - 1;
}

/** Chooses one of the digit's forms by weight. */
export function chooseForm(digit: number, u: Uniform): GlyphForm {
  const forms = glyphs[digit];
  let total = 0;
  for (const f of forms) total += f.weight;
  let rest = u() * total;
  for (const f of forms) if ((rest -= f.weight) < 0) return f;
  return forms[forms.length - 1];
}

/** Chooses the pen and the posture. */
export function chooseAttributes(digit: number, { name }: GlyphForm, u: Uniform): StrokeAttributes {
  const small = u();
  const size = 20 - 4 * small * small * small; // most digits are almost as large as the box
  const slant = 0.15 + 0.45 * wobble(u);
  const width = 1 + 0.25 * wobble(u);
  // The relative width of the gap between two upright strokes. The pen is scaled by it, so that ink never fills a loop.
  const gap = (size / 20) * Math.min(1, width / Math.sqrt(1 + slant * slant));
  return {
    digit,
    form: name,
    thickness: (2.9 + 1.1 * wobble(u)) * gap,
    size,
    slant,
    width,
    rotation: 0.12 * wobble(u),
    shake: 0.5 + u(),
  };
}

/** Writes the digit. The arrays of the result are valid until the next call. */
export function write(form: GlyphForm, attributes: StrokeAttributes, u: Uniform): Skeleton {
  const count = blendMasters(form, u);
  warp(count, u);
  shakePoints(count, JITTER * attributes.shake, u);
  driftStrokes(form.strokes, u);
  place(count, attributes);
  for (let i = 0; i < count; i++) radii[i] = (attributes.thickness / 2) * (1 + PRESSURE * wobble(u));
  return { xs, ys, radii, strokes: form.strokes };
}

function blendMasters({ masters }: GlyphForm, u: Uniform): number {
  let total = 0;
  for (let m = 0; m < masters.length; m++) {
    const w = u();
    total += blend[m] = w * w; // with squares a blend is closer to a single master than with uniform weights
  }
  const count = masters[0].length / 2;
  for (let i = 0; i < count; i++) {
    let x = 0;
    let y = 0;
    for (let m = 0; m < masters.length; m++) {
      x += blend[m] * masters[m][2 * i];
      y += blend[m] * masters[m][2 * i + 1];
    }
    xs[i] = x / (50 * total) - 1;
    ys[i] = y / (50 * total) - 1;
  }
  return count;
}

/** (x, y) + (a y^2 + b x y, c x^2 + d x y): bends stems and bars, and turns their ends apart. */
function warp(count: number, u: Uniform): void {
  const a = BEND * wobble(u);
  const b = BEND * wobble(u);
  const c = BEND * wobble(u);
  const d = BEND * wobble(u);
  for (let i = 0; i < count; i++) {
    const x = xs[i];
    const y = ys[i];
    xs[i] = x + a * y * y + b * x * y;
    ys[i] = y + c * x * x + d * x * y;
  }
}

/** Shifts each point independently. The two points of a corner get the same shift. */
function shakePoints(count: number, jitter: number, u: Uniform): void {
  let x = Number.NaN;
  let y = Number.NaN;
  for (let i = 0; i < count; i++) {
    if (xs[i] === x && ys[i] === y) {
      xs[i] = xs[i - 1];
      ys[i] = ys[i - 1];
      continue;
    }
    x = xs[i];
    y = ys[i];
    xs[i] = x + jitter * wobble(u);
    ys[i] = y + jitter * wobble(u);
  }
}

function driftStrokes(strokes: Int32Array, u: Uniform): void {
  for (let s = 1; s + 1 < strokes.length; s++) {
    const dx = DRIFT * wobble(u);
    const dy = DRIFT * wobble(u);
    for (let i = strokes[s]; i < strokes[s + 1]; i++) {
      xs[i] += dx;
      ys[i] += dy;
    }
  }
}

/** Stretches, slants and rotates all points. */
function place(count: number, { width, slant, rotation }: StrokeAttributes): void {
  const cos = Math.sqrt(1 - rotation * rotation);
  for (let i = 0; i < count; i++) {
    const x = width * xs[i] - slant * ys[i];
    const y = ys[i];
    xs[i] = cos * x - rotation * y;
    ys[i] = rotation * x + cos * y;
  }
}
