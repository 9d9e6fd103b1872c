/**
 * A classifier of digits: a small convolutional network, written with layers. The digits are those that langevin draws
 * itself, so nothing is downloaded; `loadMnist()` gives real handwriting in the same form.
 */
import {
  Adam,
  Conv2d,
  crossEntropy,
  DataLoader,
  Flatten,
  Linear,
  loadStrokes,
  MaxPool2d,
  noGrad,
  ReLU,
  Rng,
  Sequential,
  scope,
} from 'langevin';

const { train, test } = loadStrokes({ train: 2000, test: 500 });
const rng = new Rng(1);
const model = new Sequential(
  new Conv2d(1, 8, 3, { padding: 1, rng }), // pictures are [batch, 28, 28, 1]
  new ReLU(),
  new MaxPool2d(4), // [batch, 7, 7, 8]
  new Flatten(),
  new Linear(7 * 7 * 8, 10, { rng }),
);
const optimizer = new Adam(model.parameters(), { lr: 3e-3 });

for (let epoch = 1; epoch <= 3; epoch++) {
  let sum = 0;
  const loader = new DataLoader(train, { batchSize: 50, seed: epoch });
  for (const { images, labels } of loader) {
    scope(() => {
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(images), labels);
      loss.backward();
      optimizer.step();
      sum += loss.item();
    });
    images.dispose();
  }
  console.log(`epoch ${epoch}: loss ${(sum / loader.batches).toFixed(3)}`);
}

let right = 0;
for (const { images, labels } of new DataLoader(test, { batchSize: 50 })) {
  // Without gradients nothing is recorded.
  const classes = scope(() => noGrad(() => model.forward(images).argmax(1)));
  right += classes.filter((digit, i) => digit === labels[i]).length;
  images.dispose();
}
console.log(`${((100 * right) / test.length).toFixed(1)} % of new digits are right`);
