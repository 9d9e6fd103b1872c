/** Digits for a caption, and the attention to its words: `langevin sample --model mnist-captions --caption "…" --attention`. */
import { commandLine } from '../../../models/command-line.ts';
import { mostAttention } from '../../../models/figures/attention-figure.ts';
import { SAMPLE_TABLE, SAMPLING_TABLE } from '../../../models/settings.ts';
import { digitRow } from '../../draw/digits.ts';
import type { Color } from '../../draw/pixels.ts';
import { picture, text } from '../../draw/svg.ts';
import { defineFigure, type Values } from '../../figure.ts';
import type { Trajectory, TrajectoryResult, TrajectorySettings } from './trajectory.ts';
import {
  type Drawn,
  drawTrajectory,
  OWN,
  TRAJECTORY_FIGURE,
  trajectoryLayout,
  trajectoryMoment,
  trajectoryNumbers,
} from './trajectory-picture.ts';

const { count, caption } = SAMPLE_TABLE;
const { steps, guidance, seed } = SAMPLING_TABLE;

/** The published model that takes captions. */
export const CAPTIONS_MODEL = 'mnist-captions';

/** The space beside a picture of the attention, and below it. */
const [GAP, LINE] = [10, 22];
/** A page with less room than this draws the attention at scale 2, else at scale 3. */
const NARROW = 480;
/** The colour of the regions that attend to a word. */
const ATTENTION: Color = [230, 120, 0];
/** The largest part of that colour in a pixel. The rest is the ink. */
const MOST = 0.85;

const settingsOf = (values: Values) => ({ ...values, model: CAPTIONS_MODEL, attention: true });

/** For each caption its first sample, once for each word. The regions that attend to the word have a colour. */
function drawWords({ attention, width: w, height: h }: Trajectory, room: number, top: number): Drawn {
  const scale = room < NARROW ? 2 : 3;
  let [svg, y] = ['', top];
  for (const row of attention?.rows ?? []) {
    svg += text('label', 0, y + 16, 'regions that attend to each word');
    y += LINE + 2;
    const ink = row.picture.map((grey) => Math.round(255 * grey));
    const most = mostAttention(row);
    const pitch = scale * w + GAP;
    const across = Math.max(1, Math.floor((room + GAP) / pitch));
    for (const [i, word] of row.words.entries()) {
      const [x, down] = [(i % across) * pitch, Math.floor(i / across) * (scale * h + LINE + 4)];
      const color = (grey: number, place: number): Color => {
        const share = (MOST * row.maps[i][place]) / most;
        const [r, g, b] = ATTENTION.map((byte) => Math.round(grey + share * (byte - grey)));
        return [r, g, b];
      };
      svg += digitRow({ width: w, height: h, bytes: ink }, [0, 1], { x, y: y + down, scale }, color);
      svg += text('label strong', x + (scale * w) / 2, y + down + scale * h + 16, word, 'middle');
    }
    y += Math.ceil(row.words.length / across) * (scale * h + LINE + 4) + 8;
  }
  return { svg, height: y - top };
}

function draw({ trajectory }: TrajectoryResult, frame: number, width: number): string {
  const layout = trajectoryLayout(trajectory, width);
  const digits = drawTrajectory(trajectory, frame, layout);
  // The attention is measured on the finished samples.
  const isDone = frame === trajectory.frames.length - 1;
  const words = isDone ? drawWords(trajectory, width, digits.height + 16) : { svg: '', height: 0 };
  const said = [...new Set(trajectory.captions)].join(', ');
  return picture(
    isDone ? width : layout.width,
    digits.height + (words.height > 0 ? 16 + words.height : 0),
    `Digits for the caption ${said}, ${trajectoryMoment(trajectory, frame)}`,
    digits.svg,
    words.svg,
  );
}

export const CAPTIONS = defineFigure({
  id: 'captions',
  title: 'What you say, it draws',
  job: 'growing',
  live: 'Sample',
  short: { count: 2, steps: 3 },
  table: { caption, count, steps, guidance, seed },
  initial: {
    caption: 'a thick seven leaning right',
    count: 5,
    steps: undefined,
    guidance: undefined,
    seed: '0',
  },
  labels: { caption: 'caption, in words', count: 'pictures' },
  none: { caption: 'each digit in turn', ...OWN },
  request: (values) => settingsOf(values) as unknown as TrajectorySettings,
  commands: (values) => [
    {
      line: commandLine('sample', { ...settingsOf(values), gif: true }),
      numbers: { '.png': 'samples.png', '.gif': 'samples.gif', '-attention.png': 'attention.png' },
    },
  ],
  ...TRAJECTORY_FIGURE,
  draw,
  numbers: ({ trajectory }, frame) => trajectoryNumbers(trajectory, frame),
});
