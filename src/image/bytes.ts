/** Grey values from 0 to 1 as bytes. */

/** round(255·x). Values below 0 become 0, and values above 1 become 255. */
export const toByte = (x: number): number => Math.round(255 * Math.min(1, Math.max(0, x)));

/** `toByte` of each number. */
export const toBytes = (values: ArrayLike<number>): Uint8Array => Uint8Array.from(values, toByte);
