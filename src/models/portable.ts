/** The settings of a model for other machines. */
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { isRecord } from '../checkpoint/fields.ts';

/** The settings without the path of the data folder, which other machines do not have. */
export function portable(settings: Checkpoint['settings'] = {}): NonNullable<Checkpoint['settings']> {
  if (!isRecord(settings.data)) return settings;
  const { dataDir: _, ...data } = settings.data;
  return { ...settings, data };
}
