/** Debian's Chromium, which drives the pages of tests. `CHROMIUM` in the environment is the path of another one. */
import { existsSync } from 'node:fs';

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const hasChromium = existsSync(CHROMIUM);
