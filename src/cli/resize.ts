import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import { type CommonOptions, findOne, handleOf, withStoreToWait } from './open.ts';
import { terminalSize } from './values.ts';

/** `outlive resize`: sets the size of a terminal. Nothing is printed. */
export async function resize(
  io: Io,
  [reference = '', size = '']: readonly string[],
  options: CommonOptions,
): Promise<number> {
  return await withStoreToWait(options, async (store) => {
    const task = await handleOf(store, findOne(io, store, reference, options));
    await task.resize(terminalSize(size));
    return exitStatus.ok;
  });
}
