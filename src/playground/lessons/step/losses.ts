/** The loss of a run with right derivatives beside one with a wrong sign. */
import { axes, niceDomain } from '../../draw/axes.ts';
import { curve, key, picture } from '../../draw/svg.ts';

export function drawLosses(
  right: readonly number[],
  wrong: readonly number[],
  steps: number,
  width: number,
): string {
  const { svg: legend, height } = key(
    [
      ['line s0', 'as it is'],
      ['line s1 dashed', 'with the wrong sign'],
    ],
    48,
    0,
    width - 56,
  );
  const top = height + 32;
  const box = { left: 48, top, right: width - 16, bottom: top + 168 };
  const highest = Math.max(0.1, ...right, ...wrong.map((loss) => Math.min(loss, 1)));
  const x = { label: 'step', domain: [1, steps] as const };
  const { X, Y, svg } = axes(box, x, { label: 'loss', domain: [0, niceDomain(0, highest)[1]] });
  const numbers = (losses: readonly number[]) => losses.map((_, i) => i + 1);
  const label = `The loss over ${steps} steps: right derivatives end at ${right.at(-1)?.toPrecision(3)}, wrong ones at ${wrong.at(-1)?.toPrecision(3)}`;
  return picture(
    width,
    box.bottom + 48,
    label,
    legend,
    svg,
    curve('line s0', numbers(right), right, [X, Y]),
    curve('line s1 dashed', numbers(wrong), wrong, [X, Y]),
  );
}
