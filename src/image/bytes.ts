/** Greys from 0 to 1 as bytes. */

/** round(255·x); what lies beyond 0 and 1 becomes 0 or 255. */
export const toByte = (x: number): number => Math.round(255 * Math.min(1, Math.max(0, x)));

/** The same of each number. */
export const toBytes = (values: ArrayLike<number>): Uint8Array => Uint8Array.from(values, toByte);
