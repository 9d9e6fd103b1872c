/** A queue of values that arrive asynchronously. One reader takes them in order. */
export class Queue<T> {
  private readonly values: T[] = [];
  private wake: () => void = () => {};

  push(value: T): void {
    this.values.push(value);
    this.wake();
  }

  async next(): Promise<T> {
    while (this.values.length === 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.values.shift()!;
  }
}
