import { OutliveError } from '../errors/error.ts';
import type { Io } from './io.ts';

/** `outlive mcp`. */
export async function mcp(_io: Io): Promise<number> {
  throw new OutliveError('USAGE', 'not there yet');
}
