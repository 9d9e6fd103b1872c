/**
 * What `langevin train classifier` leaves behind beside what every training run does: what the classifier makes of the
 * test pictures, as figures, as a contact sheet of its worst mistakes, and as a page.
 */
import { type Classification, classification } from '../../models/evaluation/classification.ts';
import { MOST_MISTAKES, mistakesFigure } from '../../models/figures/mistakes.ts';
import type { ClassifierRecipe } from '../../models/training/classifier.ts';
import { counted } from '../report/counted.ts';
import { drawMistakes, FigureHashes } from './figures.ts';
import { type Part, page } from './html.ts';
import { type Results, type Run, setName } from './run-results.ts';

/** The files by name, in the order in which they are written, and what is in each. */
export const CLASSIFIER_FILES = {
  'model.safetensors': 'the trained model, readable by PyTorch too',
  'metrics.json': 'losses of every epoch, the confusion matrix, the mistakes, and all settings',
  'mistakes.png': 'the worst mistakes on test pictures, each with its label and what was predicted',
  'loss.svg': 'the loss over the epochs',
  'index.html': 'the page: the confusion matrix and the mistakes',
} as const;

/** More classes than this are not printed in a terminal. */
const MOST_PRINTED = 20;

const percent = (share: number | null) => (share === null ? '-' : `${(100 * share).toFixed(2)} %`);

/** The confusion matrix as lines of text: a label a row, what was predicted a column. */
function confusionLines(confusion: readonly (readonly number[])[]): string[] {
  const rows = [['', ...confusion.keys()], ...confusion.map((row, label) => [label, ...row])];
  const width = Math.max(...rows.flat().map((cell) => String(cell).length));
  return rows.map((row) => row.map((cell) => String(cell).padStart(width)).join(' '));
}

/** How many were right, as a line of text. */
function accuracyLine({ accuracy, mistakes }: Classification, pictures: number): string {
  return `${percent(accuracy)} of ${counted(pictures, 'test picture')} right, ${mistakes.length} wrong`;
}

/** The page. */
function pageOf({ trainer, data }: Run<ClassifierRecipe>, found: Classification): string {
  const { history, recipe } = trainer;
  const { train, test } = data;
  const { confusion, classes, mistakes } = found;
  const shown = Math.min(MOST_MISTAKES, mistakes.length);
  const sheet: Part[] =
    shown === 0
      ? [{ kind: 'text', text: 'There are none: every test picture is named right.' }]
      : [
          {
            kind: 'picture',
            file: 'mistakes.png',
            text: `${shown === mistakes.length ? 'All mistakes' : `The worst ${shown} mistakes`}. "4 as 9" has the label 4 and was taken for a 9. They are sorted by the probability of the label: the worst come first.`,
          },
        ];
  return page(`Classifier of ${setName(data)}`, [
    {
      kind: 'text',
      text: `The network (${recipe.module.description}) learned from ${counted(train.length, 'picture')} for ${counted(history.epochs.length, 'epoch')}. ${accuracyLine(found, test.length)}.`,
    },
    { kind: 'heading', text: 'Confusion matrix' },
    { kind: 'text', text: 'A row has the test pictures of one label. A column has those of one prediction.' },
    {
      kind: 'table',
      head: ['', ...confusion.keys(), 'recall', 'precision'].map(String),
      rows: confusion.map((row, label) => {
        const { recall, precision } = classes[label];
        return [label, ...row, percent(recall), percent(precision)];
      }),
    },
    {
      kind: 'text',
      text: 'Recall is the share of the pictures of a label that are named right. Precision is the share of the predictions of a class that are right.',
    },
    { kind: 'heading', text: 'The worst mistakes' },
    ...sheet,
    { kind: 'heading', text: 'The loss' },
    { kind: 'picture', file: 'loss.svg', text: 'The loss while it was trained.' },
  ]);
}

/** Classifies the test pictures, and says what is to be written. */
export function classifierResults(
  run: Run<ClassifierRecipe>,
): Results & { readonly summary: readonly string[] } {
  const { trainer, data } = run;
  const { module, settings, smoothed } = trainer.recipe;
  const found = trainer.withAverage(() => classification(module, data.test));
  const { confusion, mistakes } = found;
  const hashes = new FigureHashes();
  const printed = confusion.length <= MOST_PRINTED;
  const sheet = () => mistakesFigure(data.test, mistakes);
  return {
    titles: {
      title: `Classifier of ${setName(data)}`,
      subtitle: `batch ${settings.batchSize}, learning rate ${settings.lr}${smoothed ? ', smoothed labels' : ''}`,
      loss: 'cross-entropy',
    },
    contents: {
      ...(mistakes.length > 0 && { 'mistakes.png': hashes.content('mistakes.png', sheet, drawMistakes) }),
      'index.html': () => pageOf(run, found),
    },
    hashes,
    figures: found,
    summary: [
      accuracyLine(found, data.test.length),
      ...(printed ? ['', 'labels in rows, predictions in columns:', ...confusionLines(confusion)] : []),
    ],
  };
}
