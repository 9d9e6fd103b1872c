/**
 * The results of `langevin train classifier`, in addition to those of every training run. They are the confusion matrix
 * on the test pictures, a picture of the worst mistakes, and a page with both.
 */
import { type Classification, classification } from '../../models/evaluation/classification.ts';
import { MOST_MISTAKES, mistakesFigure } from '../../models/figures/mistakes.ts';
import type { ClassifierRecipe } from '../../models/training/classifier.ts';
import { counted } from '../report/counted.ts';
import { drawMistakes, FigureHashes } from './figures.ts';
import { type Part, page } from './html.ts';
import { type Results, type Run, setName } from './run-results.ts';

/** The files in the order of writing, each with its description. */
export const CLASSIFIER_FILES = {
  'model.safetensors': 'the trained model, readable by PyTorch too',
  'metrics.json': 'losses of every epoch, the confusion matrix, the mistakes, and all settings',
  'mistakes.png': 'the worst mistakes on test pictures, each with its label and its prediction',
  'loss.svg': 'the loss over the epochs',
  'index.html': 'a page with the confusion matrix and the mistakes',
} as const;

/** The largest number of classes for which the confusion matrix is printed. */
const MOST_PRINTED = 20;

const percent = (share: number | null) => (share === null ? '-' : `${(100 * share).toFixed(2)} %`);

/** The confusion matrix as lines of text. A row has the pictures of one label, a column those of one prediction. */
function confusionLines(confusion: readonly (readonly number[])[]): string[] {
  const rows = [['', ...confusion.keys()], ...confusion.map((row, label) => [label, ...row])];
  const width = Math.max(...rows.flat().map((cell) => String(cell).length));
  return rows.map((row) => row.map((cell) => String(cell).padStart(width)).join(' '));
}

/** The accuracy and the number of mistakes, as a line of text. */
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
      ? [{ kind: 'text', text: 'There are no mistakes: every test picture is classified correctly.' }]
      : [
          {
            kind: 'picture',
            file: 'mistakes.png',
            text: `${shown === mistakes.length ? 'All mistakes' : `The worst ${shown} mistakes`}. "4 as 9" has the label 4, and the prediction is 9. The mistakes are sorted by the probability of the label, the smallest first.`,
          },
        ];
  return page(`Classifier of ${setName(data)}`, [
    {
      kind: 'text',
      text: `The network (${recipe.module.description}) was trained on ${counted(train.length, 'picture')} for ${counted(history.epochs.length, 'epoch')}. ${accuracyLine(found, test.length)}.`,
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
      text: 'Recall is the share of the pictures of a label that are classified correctly. Precision is the share of the predictions of a class that are correct.',
    },
    { kind: 'heading', text: 'The worst mistakes' },
    ...sheet,
    { kind: 'heading', text: 'The loss' },
    { kind: 'picture', file: 'loss.svg', text: 'The loss during the training.' },
  ]);
}

/** Classifies the test pictures, and returns the contents of the files. */
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
