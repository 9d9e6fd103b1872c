/** The largest sizes that a model's file can have, and fields (checkpoint/fields.ts) that several networks share. */
import { optional, whole } from '../../checkpoint/fields.ts';

/** The most rows or columns of a picture. */
export const MOST_SIDE = 4096;
/** The most channels of a picture. */
export const MOST_CHANNELS = 64;
/** The most values of a picture, for networks that store only this number. */
export const MOST_INPUTS = 2 ** 26;
/** The most classes. */
export const MOST_CLASSES = 65_536;
/** The largest width of a layer. */
export const MOST_WIDTH = 65_536;
/** The most blocks in a row. */
export const MOST_DEPTH = 1000;
/** The most steps T of a noise schedule, which has several tables of T numbers. */
export const MOST_STEPS = 100_000;

/** The sizes of a picture in a file. Files of version 0.1.0 do not have `channels`. */
export const PICTURE_FIELDS = {
  height: whole(1, MOST_SIDE),
  width: whole(1, MOST_SIDE),
  channels: optional(whole(1, MOST_CHANNELS), 1),
};

export const WIDTH_FIELD = whole(1, MOST_WIDTH);
