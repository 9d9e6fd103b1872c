/** The version in package.json, for checkpoints and results. A test checks that they agree. */
export const VERSION = '0.1.0';
