/** The programs of the jobs. Each is loaded when its first job runs. */
import type { Compute, JobName, Jobs } from '../protocol.ts';

type Programs = { readonly [K in JobName]: () => Promise<{ readonly compute: Compute<Jobs[K]> }> };

export const JOBS: Programs = {
  sde: () => import('../lessons/brownian/job.ts'),
  'one-path': () => import('../lessons/equations/job-one-path.ts'),
  orders: () => import('../lessons/equations/job-orders.ts'),
  noising: () => import('../lessons/noising/job-noising.ts'),
  schedules: () => import('../lessons/noising/job-schedules.ts'),
  scores: () => import('../lessons/scores/job.ts'),
  growing: () => import('../lessons/unet/job-growing.ts'),
  trajectories: () => import('../lessons/labels/job.ts'),
  completing: () => import('../lessons/unet/job-completing.ts'),
  denoiser: async () => ({ compute: (await import('../lessons/denoiser/job.ts')).train }),
  'denoiser-file': async () => ({ compute: (await import('../lessons/denoiser/job.ts')).file }),
  'denoiser-open': async () => ({ compute: (await import('../lessons/denoiser/job.ts')).open }),
  'denoiser-threads': () => import('../lessons/denoiser/job-threads.ts'),
  kernels: () => import('../lessons/kernels/job.ts'),
  step: () => stepper('step'),
  'step-tensor': () => stepper('tensorOf'),
  'step-difference': () => stepper('differenceOf'),
  'step-broken': () => stepper('broken'),
  'pure-noise': () => import('../lessons/pure-noise/job.ts'),
  start: () => import('../lessons/start/job.ts'),
  'five-steps': () => import('../lessons/five-steps/job.ts'),
};

type Stepper = typeof import('../lessons/step/jobs.ts');
/** One of the programs that share the step that was run. */
async function stepper<N extends keyof Stepper>(name: N): Promise<{ readonly compute: Stepper[N] }> {
  return { compute: (await import('../lessons/step/jobs.ts'))[name] };
}

/** Runs a job to its end. */
export async function runJob<K extends JobName>(
  job: K,
  settings: Jobs[K]['settings'],
): Promise<Jobs[K]['result']> {
  const { compute } = await JOBS[job]();
  const running = compute(settings);
  if (running instanceof Promise) return running;
  for (;;) {
    const { done, value } = await running.next();
    if (done) return value as Jobs[K]['result'];
  }
}
