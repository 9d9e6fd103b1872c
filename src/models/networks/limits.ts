/** What a model's file may say, as fields of checkpoint/fields.ts: the largest sizes that a network is built with. */
import { optional, whole } from '../../checkpoint/fields.ts';

/** Rows or columns of a picture. */
export const MOST_SIDE = 4096;
/** Numbers of a pixel. */
export const MOST_CHANNELS = 64;
/** Numbers of a picture, for networks that know only how many. */
export const MOST_INPUTS = 2 ** 26;
/** Classes of labels. */
export const MOST_CLASSES = 65_536;
/** Numbers between two layers. */
export const MOST_WIDTH = 65_536;
/** Blocks one after the other. */
export const MOST_DEPTH = 1000;
/** Steps T of a noise schedule, which keeps several tables of T numbers. */
export const MOST_STEPS = 100_000;

/** The sizes of a picture in a file; files of version 0.1.0 have no channels. */
export const PICTURE_FIELDS = {
  height: whole(1, MOST_SIDE),
  width: whole(1, MOST_SIDE),
  channels: optional(whole(1, MOST_CHANNELS), 1),
};

export const WIDTH_FIELD = whole(1, MOST_WIDTH);
