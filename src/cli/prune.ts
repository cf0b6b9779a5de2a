import type { StorePruneOptions } from '../api/store.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import { type CommonOptions, sessionIdOf, withStore } from './open.ts';
import { jsonLine } from './present/task.ts';
import { shownBytes } from './present/values.ts';

interface PruneVerbOptions extends CommonOptions {
  readonly olderThan?: number;
  readonly maxBytes?: number;
  readonly allSessions?: boolean;
  readonly dryRun?: boolean;
}

/** `outlive prune`: removes what ended long ago and was acknowledged. What is owed stays, however old. */
export async function prune(
  io: Io,
  _operands: readonly string[],
  options: PruneVerbOptions,
): Promise<number> {
  const { olderThan, maxBytes, allSessions = false, dryRun = false } = options;
  const what: StorePruneOptions = {
    dryRun,
    ...(olderThan !== undefined && { olderThanMs: olderThan }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(!allSessions && { sessionId: sessionIdOf(options) }),
  };
  return await withStore(options, async (store) => {
    const { taskIds, bytes } = await store.prune(what);
    if (io.json) await io.out(jsonLine({ taskIds, bytes, dryRun }));
    else {
      await io.out(taskIds.map((id) => `${id}\n`).join(''));
      const verb = dryRun ? 'would be removed' : 'removed';
      io.note(
        `${taskIds.length} ${taskIds.length === 1 ? 'task' : 'tasks'} ${verb}, ${shownBytes(bytes)} of output`,
      );
    }
    return exitStatus.ok;
  });
}
