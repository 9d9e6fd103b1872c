/**
 * Text for labels in raster pictures. One pen of constant width draws each letter along its skeleton.
 *
 * A glyph is path data as in SVG (M, L, H, V and Q, absolute), in pixels at size 1. The tops of capitals are at y = 0,
 * the tops of small letters at 3, the baseline at 9, and descenders end at 12. Stems and bars lie on whole numbers.
 * Those are pixel centres, so the strokes stay sharp. A quarter of a circle is one quadratic curve with its control
 * point in the corner. Capitals are 10 pixels high, as in a 14 pixel typeface.
 *
 * Coverage is computed from the distance to the nearest stroke, by + - * / and sqrt alone. So the bits are the same on
 * every machine. The font has ASCII and a few signs of the field. Every other character is drawn as an empty box. Left
 * out on purpose: kerning, accents, weights. We found no small npm package for this: raster fonts there need canvas or
 * a font file to parse.
 */

const BOWL = 'M5 6Q5 3 2.5 3Q0 3 0 6Q0 9 2.5 9Q5 9 5 6';
const CAPITAL_O = 'M7 4.5Q7 0 3.5 0Q0 0 0 4.5Q0 9 3.5 9Q7 9 7 4.5';
const CAPITAL_P = 'M0 9V0H3.2Q6 0 6 2.5Q6 5 3.2 5H0';
const DOT = 'M0 8.9H.2V9.1H0V8.9';

const GLYPHS: Readonly<Record<string, string>> = {
  a: 'M.4 4.2Q.9 3 2.5 3Q5 3 5 5V9M5 6H2.3Q0 6 0 7.5Q0 9 2 9Q4.6 9 5 6.8',
  b: `M0 0V9${BOWL}`,
  c: 'M4.8 4.4Q4.3 3 2.6 3Q0 3 0 6Q0 9 2.6 9Q4.3 9 4.8 7.6',
  d: `M5 0V9${BOWL}`,
  e: 'M0 6H5Q5 3 2.5 3Q0 3 0 6Q0 9 2.6 9Q4.1 9 4.8 7.9',
  f: 'M4 0H3.6Q2 0 2 2V9M0 3H3.8',
  g: `M5 3V9.8Q5 12 2.5 12Q1 12 .4 11.1${BOWL}`,
  h: 'M0 0V9M0 5.6Q.5 3 2.8 3Q5 3 5 5.5V9',
  i: 'M0 3V9M0 0V.2',
  j: 'M2 3V10.2Q2 12 .3 12M2 0V.2',
  k: 'M0 0V9M4.5 3L0 7M1.6 5.7L4.8 9',
  l: 'M0 0V9',
  m: 'M0 3V9M0 5.6Q.4 3 2.2 3Q4 3 4 5.4V9M4 5.6Q4.4 3 6.2 3Q8 3 8 5.4V9',
  n: 'M0 3V9M0 5.6Q.5 3 2.8 3Q5 3 5 5.5V9',
  o: BOWL,
  p: `M0 3V12${BOWL}`,
  q: `M5 3V12${BOWL}`,
  r: 'M0 3V9M0 5.8Q.3 3 2.6 3H3',
  s: 'M4.2 4.1Q3.7 3 2.2 3Q.3 3 .3 4.5Q.3 5.7 2.3 6Q4.4 6.3 4.4 7.5Q4.4 9 2.2 9Q.5 9 0 7.8',
  t: 'M2 .8V7.2Q2 9 3.6 9H4M0 3H4',
  u: 'M0 3V6.5Q0 9 2.2 9Q4.5 9 5 6.4M5 3V9',
  v: 'M0 3L2.5 9L5 3',
  w: 'M0 3L2 9L4 3.6L6 9L8 3',
  x: 'M0 3L5 9M5 3L0 9',
  y: 'M0 3L2.6 9M5.2 3L2.4 10Q1.7 12 .3 12',
  z: 'M.2 3H4.7L0 9H5',
  A: 'M0 9L3.5 0L7 9M1.2 6H5.8',
  B: 'M0 4H3.2Q6 4 6 6.5Q6 9 3.2 9H0V0H3Q5.5 0 5.5 2Q5.5 4 3 4',
  C: 'M6.4 1.9Q5.7 0 3.5 0Q0 0 0 4.5Q0 9 3.5 9Q5.7 9 6.4 7.1',
  D: 'M0 0V9H2.6Q6.5 9 6.5 4.5Q6.5 0 2.6 0H0',
  E: 'M5 0H0V9H5.2M0 4H4.6',
  F: 'M5 0H0V9M0 4H4.5',
  G: 'M6.4 1.8Q5.7 0 3.5 0Q0 0 0 4.5Q0 9 3.5 9Q5.8 9 6.6 7.8V5H4',
  H: 'M0 0V9M6 0V9M0 4H6',
  I: 'M0 0V9',
  J: 'M4 0V6.4Q4 9 2 9Q.5 9 0 7.6',
  K: 'M0 0V9M5.6 0L0 5.4M1.9 3.7L6 9',
  L: 'M0 0V9H5',
  M: 'M0 9V0L4 6.4L8 0V9',
  N: 'M0 9V0L6 9V0',
  O: CAPITAL_O,
  P: CAPITAL_P,
  Q: `${CAPITAL_O}M4.4 6.8L7 10`,
  R: `${CAPITAL_P}M3.2 5L6.2 9`,
  S: 'M5.4 1.5Q4.7 0 2.9 0Q.3 0 .3 2.2Q.3 4 3 4.4Q5.8 4.8 5.8 6.8Q5.8 9 2.9 9Q.6 9 0 7.2',
  T: 'M0 0H6M3 0V9',
  U: 'M0 0V5.7Q0 9 3 9Q6 9 6 5.7V0',
  V: 'M0 0L3.5 9L7 0',
  W: 'M0 0L2.5 9L5 .6L7.5 9L10 0',
  X: 'M0 0L6 9M6 0L0 9',
  Y: 'M0 0L3 4.7V9M6 0L3 4.7',
  Z: 'M.2 0H5.8L0 9H6',
  0: 'M5 4.5Q5 0 2.5 0Q0 0 0 4.5Q0 9 2.5 9Q5 9 5 4.5',
  1: 'M.4 1.7L3 0V9M.4 9H5',
  2: 'M.1 2.4Q.3 0 2.6 0Q4.9 0 4.9 2.4Q4.9 4.1 3.2 5.8L.1 9H5',
  3: 'M.3 1.5Q.9 0 2.5 0Q4.7 0 4.7 2Q4.7 4 2.5 4H1.7M2.5 4Q5 4 5 6.5Q5 9 2.4 9Q.6 9 0 7.4',
  4: 'M4 9V0L0 6H5.2',
  5: 'M4.6 0H.7L.4 4.2Q1.2 3.2 2.6 3.2Q5 3.2 5 6.1Q5 9 2.4 9Q.6 9 0 7.5',
  6: 'M4.7 1.4Q4.2 0 2.7 0Q0 0 0 5.2V6M5 6.1Q5 3.4 2.5 3.4Q0 3.4 0 6.1Q0 9 2.5 9Q5 9 5 6.1',
  7: 'M0 0H5L1.8 9',
  8: 'M2.5 4Q.4 4 .4 2Q.4 0 2.5 0Q4.6 0 4.6 2Q4.6 4 2.5 4Q0 4 0 6.5Q0 9 2.5 9Q5 9 5 6.5Q5 4 2.5 4',
  9: 'M.3 7.6Q.8 9 2.3 9Q5 9 5 3.8V3M0 2.9Q0 5.6 2.5 5.6Q5 5.6 5 2.9Q5 0 2.5 0Q0 0 0 2.9',
  ' ': 'M1 9',
  '.': DOT,
  ',': 'M.9 8.8L.2 10.8',
  ':': `${DOT}M0 3.9H.2V4.1H0V3.9`,
  ';': 'M.9 8.8L.2 10.8M.8 3.9H1V4.1H.8V3.9',
  '!': `M0 0V6${DOT}`,
  '?': 'M0 1.8Q.4 0 2.2 0Q4.4 0 4.4 2.1Q4.4 3.6 2 4.9V6M2 8.9V9',
  "'": 'M0 0V2.3',
  '"': 'M0 0V2.3M3 0V2.3',
  '-': 'M0 6H3',
  '−': 'M0 5H6',
  '+': 'M0 5H6M3 2V8',
  '±': 'M0 4H6M3 1V7M0 9H6',
  '×': 'M0 3L5 8M5 3L0 8',
  '=': 'M0 4H6M0 7H6',
  '~': 'M0 6.3Q1.2 4.3 3 5.5Q4.8 6.7 6 4.7',
  '<': 'M5 2L0 5L5 8',
  '>': 'M0 2L5 5L0 8',
  '/': 'M0 10.4L3.8 -1',
  '\\': 'M3.8 10.4L0 -1',
  '|': 'M0 -1V12',
  '(': 'M2 -1Q0 1.5 0 5Q0 8.5 2 11',
  ')': 'M0 -1Q2 1.5 2 5Q2 8.5 0 11',
  '[': 'M2 -1H0V11H2',
  ']': 'M0 -1H2V11H0',
  '{': 'M3 -1Q1.2 -1 1.2 1V3.4Q1.2 5 0 5Q1.2 5 1.2 6.6V9Q1.2 11 3 11',
  '}': 'M0 -1Q1.8 -1 1.8 1V3.4Q1.8 5 3 5Q1.8 5 1.8 6.6V9Q1.8 11 0 11',
  _: 'M0 11H5',
  '*': 'M2.5 0V5M.3 1.2L4.7 3.8M4.7 1.2L.3 3.8',
  '#': 'M2.2 0L1.2 9M5.2 0L4.2 9M.2 3H6.4M0 6H6.2',
  '%': 'M3 2Q3 0 1.5 0Q0 0 0 2Q0 4 1.5 4Q3 4 3 2M8 7Q8 5 6.5 5Q5 5 5 7Q5 9 6.5 9Q8 9 8 7M6.6 0L1.4 9',
  '&': 'M6.4 9L1.6 3.4Q.2 0 2.7 0Q4.7 0 4.5 1.9Q4.3 3.2 2.3 4.3Q0 5.5 0 7Q0 9 2.3 9Q5 9 6 5.2',
  $: 'M4.8 2.2Q4.1 1 2.6 1Q.2 1 .2 2.9Q.2 4.4 2.6 4.8Q5 5.2 5 7Q5 9 2.6 9Q.6 9 0 7.5M2.6 -.5V10.5',
  '@': 'M6 6Q6 3.6 4.4 3.6Q2.6 3.6 2.6 5.6Q2.6 7.4 4.2 7.4Q6 7.4 6 5V3.6M6 5V6Q6 7.4 7.4 7.4Q9 7 9 4.6Q9 0 4.6 0Q0 0 0 5.2Q0 10.4 4.8 10.4Q6.6 10.4 7.6 9.8',
  '^': 'M0 4L2.5 0L5 4',
  '`': 'M0 -.4L1.2 1.2',
  '→': 'M0 6H8M5.2 3.2L8 6L5.2 8.8',
  α: 'M5.6 3Q4.6 9 2.3 9Q0 9 0 6Q0 3 2.3 3Q4.6 3 5 7.2Q5.2 9 6 9',
  β: 'M0 12V2.4Q0 0 2.4 0Q4.6 0 4.6 2Q4.6 4 2.4 4Q5 4 5 6.5Q5 9 2.6 9Q.8 9 0 7.6',
  ε: 'M4.4 4Q3.8 3 2.4 3Q.4 3 .4 4.5Q.4 6 2.4 6H3M2.4 6Q0 6 0 7.5Q0 9 2.4 9Q4 9 4.6 7.9',
  μ: 'M0 3V12M0 6.5Q0 9 2.2 9Q4.5 9 5 6.4M5 3V9',
  σ: 'M6 3H2.5Q0 3 0 6Q0 9 2.5 9Q5 9 5 6Q5 3.8 3.4 3',
};

const UNKNOWN = 'M0 0H5V9H0V0';
/** The distance from the skeleton of one glyph to the next: one pixel for each pen, and one between them. */
const TRACKING = 3;
const PEN = 1.35;
/** The distance from the left edge of a text to its first skeleton. It keeps the pen inside the picture. */
const BEARING = 1;

/** A straight piece of a stroke: x0, y0, x1, y1. */
type Segment = readonly [number, number, number, number];
interface Glyph {
  readonly segments: readonly Segment[];
  readonly width: number;
}

/** Height of a line at size 1, from above the brackets to below the descenders, in pixels. */
export const LINE_HEIGHT = 16;
/** The distance from the top of a line to the top of the capitals' skeleton. */
const ASCENT = 2;
/** The distance from the top of a line to the middle of the small letters. Text looks centred there. */
export const MIDDLE = ASCENT + 5.5;

/** The width in pixels that `drawText` may change at `size`. */
export function textWidth(text: string, size = 1): number {
  let width = 0;
  for (const char of text) width += glyphOf(char).width + TRACKING;
  return Math.ceil(size * width);
}

/**
 * Draws `text` into grey pixels. The colour is mixed with `ink` (0 to 255).
 * @param pixels rows of `stride` bytes; parts of the text outside are not drawn.
 * @param left the left edge of the text, which is `textWidth(text, size)` wide.
 * @param top the upper edge of the line, which is `LINE_HEIGHT * size` high.
 * @param size a whole number keeps the stems sharp.
 */
export function drawText(
  pixels: Uint8Array,
  stride: number,
  text: string,
  left: number,
  top: number,
  ink: number,
  size = 1,
): void {
  // integer coordinates of the skeleton are centres of size x size blocks of pixels
  const y0 = top + size * ASCENT + (size - 1) / 2;
  let x0 = left + size * BEARING + (size - 1) / 2;
  for (const char of text) {
    const glyph = glyphOf(char);
    drawGlyph(pixels, stride, glyph, x0, y0, ink, size);
    x0 += size * (glyph.width + TRACKING);
  }
}

function drawGlyph(
  pixels: Uint8Array,
  stride: number,
  glyph: Glyph,
  x0: number,
  y0: number,
  ink: number,
  size: number,
): void {
  const radius = (size * PEN) / 2;
  const rows = pixels.length / stride;
  const yEnd = Math.min(rows, Math.ceil(y0 + size * (LINE_HEIGHT - ASCENT)));
  const xEnd = Math.min(stride, Math.ceil(x0 + size * (glyph.width + 1.5)));
  for (let y = Math.max(0, Math.floor(y0 - size * ASCENT)); y < yEnd; y++) {
    for (let x = Math.max(0, Math.floor(x0 - size)); x < xEnd; x++) {
      let nearest = Number.POSITIVE_INFINITY; // squared, in units of size
      for (const segment of glyph.segments) {
        nearest = Math.min(nearest, distanceSquared((x - x0) / size, (y - y0) / size, segment));
      }
      const coverage = Math.min(1, Math.max(0, radius + 0.5 - size * Math.sqrt(nearest)));
      const at = y * stride + x;
      pixels[at] = Math.round(pixels[at] + coverage * (ink - pixels[at]));
    }
  }
}

function distanceSquared(x: number, y: number, [ax, ay, bx, by]: Segment): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length2 = dx * dx + dy * dy;
  const along = length2 === 0 ? 0 : ((x - ax) * dx + (y - ay) * dy) / length2;
  const s = Math.min(1, Math.max(0, along));
  const [ex, ey] = [x - ax - s * dx, y - ay - s * dy];
  return ex * ex + ey * ey;
}

const cache = new Map<string, Glyph>();

function glyphOf(char: string): Glyph {
  let glyph = cache.get(char);
  if (!glyph) {
    glyph = parse(Object.hasOwn(GLYPHS, char) ? GLYPHS[char] : UNKNOWN);
    cache.set(char, glyph);
  }
  return glyph;
}

const CURVE_STEPS = 6;

function parse(path: string): Glyph {
  const segments: Segment[] = [];
  let [x, y, width] = [0, 0, 0];
  const lineTo = (toX: number, toY: number) => {
    segments.push([x, y, toX, toY]);
    [x, y] = [toX, toY];
  };
  for (const [, command, rest] of path.matchAll(/([MLHVQ])([^MLHVQ]*)/g)) {
    const [a = 0, b = 0, c = 0, d = 0] = rest!.split(' ').map(Number);
    if (command === 'M') [x, y] = [a, b];
    else if (command === 'L') lineTo(a, b);
    else if (command === 'H') lineTo(a, y);
    else if (command === 'V') lineTo(x, a);
    else {
      const [px, py] = [x, y];
      for (let i = 1; i <= CURVE_STEPS; i++) {
        const t = i / CURVE_STEPS;
        const [u, v, w] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t];
        lineTo(u * px + v * a + w * c, u * py + v * b + w * d);
      }
    }
    width = Math.max(width, x);
  }
  return { segments, width };
}
