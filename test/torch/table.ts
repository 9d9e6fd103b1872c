/** All rows of the comparison with PyTorch. */

import type { Row } from './row.ts';
import { ATTENTION } from './rows/attention.ts';
import { BATCH_NORM } from './rows/batch-norm.ts';
import { CHOICES } from './rows/choices.ts';
import { CONV } from './rows/conv.ts';
import { CONV_TRANSPOSE } from './rows/conv-transpose.ts';
import { ELEMENTWISE } from './rows/elementwise.ts';
import { GRAPHS } from './rows/graphs.ts';
import { MAPS } from './rows/maps.ts';
import { NN } from './rows/nn.ts';
import { OPTIM } from './rows/optim.ts';
import { POOL } from './rows/pool.ts';
import { PRODUCTS } from './rows/products.ts';
import { REDUCTIONS } from './rows/reductions.ts';
import { SHAPES } from './rows/shapes.ts';
import { SPECIALS } from './rows/specials.ts';

export const ROWS: readonly Row[] = [
  ...ELEMENTWISE,
  ...SPECIALS,
  ...CHOICES,
  ...REDUCTIONS,
  ...SHAPES,
  ...PRODUCTS,
  ...NN,
  ...MAPS,
  ...CONV,
  ...CONV_TRANSPOSE,
  ...BATCH_NORM,
  ...POOL,
  ...ATTENTION,
  ...OPTIM,
  ...GRAPHS,
];
