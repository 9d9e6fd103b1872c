/**
 * The course of a long run: moments of it, for a slider. At first every step is kept. Whenever there are too many
 * moments, every second one goes, and from there on the steps between two moments are twice as many.
 */
export class Course<M extends { readonly step: number }> {
  private kept: M[] = [];
  /** Steps from one moment to the next. */
  private stride = 1;

  /** @param most the largest number of moments, besides the newest */
  constructor(private readonly most: number) {}

  /** Keeps the moment of a step, if the stride comes to it. */
  look(step: number, take: () => M): void {
    if (step % this.stride !== 0) return;
    this.kept.push(take());
    if (this.kept.length <= this.most) return;
    this.stride *= 2;
    this.kept = this.kept.filter((moment) => moment.step % this.stride === 0);
  }

  /** The moments so far. The last one is that of this step. */
  until(step: number, take: () => M): M[] {
    return this.kept.at(-1)?.step === step ? [...this.kept] : [...this.kept, take()];
  }
}
