/** The worker of off-thread.ts. It trains a denoiser, yields the loss after each batch, and at last the model's file. */
import { Denoiser, encodeCheckpoint, loadStrokes, Rng, serveWorker, trainDenoiser } from 'langevin';

/** What the page gets: a loss, or the bytes of the trained model. */
export type News = { readonly batch: number; readonly loss: number } | { readonly model: Uint8Array };

serveWorker(function* ({ pictures }: { readonly pictures: number }): Generator<News> {
  const model = new Denoiser({ rng: new Rng(1) });
  const data = loadStrokes({ train: pictures, test: 20 });
  let batch = 0;
  for (const event of trainDenoiser(model, { ...data, epochs: 1, batchSize: 32 })) {
    if (event.type === 'batch') yield { batch: ++batch, loss: event.loss };
  }
  yield { model: encodeCheckpoint(model, { kind: model.kind, sizes: { ...model.sizes } }) };
});
