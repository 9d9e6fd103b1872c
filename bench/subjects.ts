/** The list of all subjects of the benchmark. */
import { attention } from './attention.ts';
import { conv } from './conv.ts';
import { elementwise } from './elementwise.ts';
import { gaussian } from './gaussian.ts';
import { gemm } from './gemm.ts';
import { grains } from './grains.ts';
import { lecture } from './lecture.ts';
import { norm } from './norm.ts';
import { ops } from './ops.ts';
import { rows } from './rows.ts';
import { sampler } from './sampler.ts';
import { sde } from './sde.ts';
import { step } from './step.ts';
import type { Subject } from './subject.ts';
import { unet } from './unet.ts';

export const SUBJECTS: readonly Subject[] = [
  gemm,
  elementwise,
  rows,
  norm,
  conv,
  attention,
  ops,
  gaussian,
  grains,
  step,
  lecture,
  unet,
  sde,
  sampler,
];
