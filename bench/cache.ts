import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where programs to compare with are installed: `$OUTLIVE_BENCH_CACHE`, else outlive-bench in the user's cache folder. */
export function cacheFolder(): string {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return process.env.OUTLIVE_BENCH_CACHE || join(caches, 'outlive-bench');
}
