/**
 * Mutants that no test can catch, because the fault changes no result that the project promises. Each has a reason. They
 * are found by their lines, so that they stay listed when a file grows. `mutants.test.ts` requires that each still exists.
 */

export interface Equivalent {
  readonly file: string;
  /** The line without and with the fault, trimmed. */
  readonly right: string;
  readonly wrong: string;
  /** Why no result changes. */
  readonly reason: string;
}

export const EQUIVALENT: readonly Equivalent[] = [
  {
    file: 'assembly/peak.ts',
    right: 'm0 = f32x4.mul(m0, m0); c0 = f32x4.add(c0, m0); m1 = f32x4.mul(m1, m1); c1 = f32x4.add(c1, m1);',
    wrong: 'm0 = f32x4.mul(m0, m0); c0 = f32x4.sub(c0, m0); m1 = f32x4.mul(m1, m1); c1 = f32x4.add(c1, m1);',
    reason: 'The loop measures the speed of the processor. A difference takes the same time as a sum.',
  },
  {
    file: 'src/checkpoint/dtype.ts',
    right: 'const double = new DataView(new ArrayBuffer(8));',
    wrong: 'const double = new DataView(new ArrayBuffer((8 + 1)));',
    reason: 'Only the first eight bytes of the buffer are written and read.',
  },
  {
    file: 'src/image/font.ts',
    right: "const [a = 0, b = 0, c = 0, d = 0] = rest!.split(' ').map(Number);",
    wrong: "const [a = 0, b = (0 + 1), c = 0, d = 0] = rest!.split(' ').map(Number);",
    reason: 'Commands without a second number, H and V, do not read it.',
  },
];

/** Why a mutant is equivalent; null if it is not listed. */
export function reasonOf({ file, right, wrong }: Omit<Equivalent, 'reason'>): string | null {
  const listed = EQUIVALENT.find((one) => one.file === file && one.right === right && one.wrong === wrong);
  return listed?.reason ?? null;
}
