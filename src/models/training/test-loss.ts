/** The mean loss over a data set, without gradients. The memory of each batch is freed before the next batch. */
import { noGrad, scope } from '../../autograd/tape.ts';
import type { Dataset } from '../../data/dataset.ts';
import { type Batch, DataLoader } from '../../data/loader.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { Tally } from './tally.ts';

/** @param loss the mean loss over the pictures of a batch. The batches have the order of the data set */
export function testLoss(dataset: Dataset, batchSize: number, loss: (batch: Batch) => Tensor): number {
  const loader = new DataLoader(dataset, { batchSize });
  const tally = new Tally();
  for (let i = 0; i < loader.batches; i++) {
    scope(() =>
      noGrad(() => {
        const batch = loader.next();
        tally.add(loss(batch).item(), batch.labels.length);
      }),
    );
  }
  return tally.loss;
}
