/**
 * The smallest network that learns something: the exclusive or of two bits. A single linear layer cannot compute it, so
 * there is a hidden layer. The program prints the probability of 1 for each pair of bits.
 */
import { Adam, bceWithLogits, Linear, Rng, Sequential, scope, Tanh, tensor } from 'langevin';

const rng = new Rng(1);
const model = new Sequential(new Linear(2, 8, { rng }), new Tanh(), new Linear(8, 1, { rng }));
const optimizer = new Adam(model.parameters(), { lr: 0.05 });

const bits = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
const targets = tensor([[0], [1], [1], [0]]);

for (let step = 0; step < 200; step++) {
  // A scope releases the tensors of a step at its end.
  scope(() => {
    optimizer.zeroGrad();
    bceWithLogits(model.forward(bits), targets).backward();
    optimizer.step();
  });
}

scope(() => {
  const probabilities = model.forward(bits).sigmoid().toTypedArray();
  for (const [i, p] of probabilities.entries()) console.log(`${i >> 1} xor ${i & 1} = ${p.toFixed(2)}`);
});
