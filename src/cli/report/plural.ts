/** `1 path`, `2 paths`, `1,000 paths`: a count with its noun, whose plural ends in s. */
export const plural = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
