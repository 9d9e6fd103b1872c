/** A number and its noun: `1 epoch`, `2 epochs`, `60,000 pictures`. */
export const counted = (n: number, noun: string): string =>
  `${n.toLocaleString('en')} ${n === 1 ? noun : `${noun}s`}`;
