import type { StorePruneOptions } from '../api/prune-store.ts';
import type { KeptBecause } from '../engine/store/sweep.ts';
import { OutliveError } from '../errors/error.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import { type CommonOptions, findAll, sessionIdOf, withStore, withStoreToRead } from './open.ts';
import { jsonLine } from './present/task.ts';
import { shownBytes, shownDuration } from './present/values.ts';

interface PruneVerbOptions extends CommonOptions {
  readonly olderThan?: number;
  readonly maxBytes?: number;
  readonly allSessions?: boolean;
  readonly unread?: boolean;
  readonly dryRun?: boolean;
}

/** The store keeps what is younger, unless something else is said. */
const weekMs = 7 * 24 * 3_600_000;

/**
 * `outlive prune`: removes what ended long ago and was acknowledged, or the tasks that are named. What is pending stays,
 * unless it is to go unread.
 */
export async function prune(
  io: Io,
  references: readonly string[],
  options: PruneVerbOptions,
): Promise<number> {
  const { olderThan, maxBytes, allSessions = false, unread = false, dryRun = false } = options;
  if (references.length > 0 && (allSessions || maxBytes !== undefined))
    throw new OutliveError(
      'USAGE',
      `expected tasks, or ${allSessions ? '--all-sessions' : '--max-bytes'}; found both. See: outlive prune --help`,
    );
  return await (dryRun ? withStoreToRead : withStore)(options, async (store) => {
    const named = findAll(io, store, references, options).map(({ taskId }) => taskId);
    const what: StorePruneOptions = {
      dryRun,
      unread,
      ...(olderThan !== undefined && { olderThanMs: olderThan }),
      ...(maxBytes !== undefined && { maxBytes }),
      // A task that is named may be of another session.
      ...(named.length > 0 ? { taskIds: named } : !allSessions && { sessionId: sessionIdOf(options) }),
    };
    const { taskIds, bytes, kept } = await store.prune(what);
    if (io.json) await io.out(jsonLine({ taskIds, bytes, dryRun, kept: countsOf(kept) }));
    else {
      await io.out(taskIds.map((id) => `${id}\n`).join(''));
      const verb = dryRun ? 'would be removed' : 'removed';
      io.note(
        `${taskIds.length} ${taskIds.length === 1 ? 'task' : 'tasks'} ${verb}, ${shownBytes(bytes)} of output`,
      );
    }
    if (named.length === 0) {
      if (!io.json && kept.length > 0) io.note(`kept: ${sayCounts(kept, olderThan ?? weekMs)}`);
      return exitStatus.ok;
    }
    for (const { taskId, because } of kept)
      io.note(`${taskId} is kept: it ${said(because, olderThan ?? 0)}. ${advice(because, taskId, io)}`);
    return kept.length === 0 ? exitStatus.ok : exitStatus.failed;
  });
}

type Kept = readonly { readonly taskId: string; readonly because: KeptBecause }[];

function countsOf(kept: Kept): Readonly<Record<KeptBecause, number>> {
  const counts = { running: 0, unread: 0, watched: 0, leftovers: 0, young: 0 };
  for (const { because } of kept) counts[because] += 1;
  return counts;
}

function sayCounts(kept: Kept, olderThanMs: number): string {
  const words: Readonly<Record<KeptBecause, string>> = {
    running: 'running',
    unread: 'unread (--unread removes them)',
    watched: 'with an open watch',
    leftovers: 'with processes that they left running',
    young: `younger than ${shownDuration(olderThanMs)}`,
  };
  return Object.entries(countsOf(kept))
    .filter(([, count]) => count > 0)
    .map(([because, count]) => `${count} ${words[because as KeptBecause]}`)
    .join(', ');
}

function said(because: KeptBecause, olderThanMs: number): string {
  return {
    running: 'has not ended',
    unread: 'has ended, and its end is not acknowledged',
    watched: 'has an open watch',
    leftovers: 'left processes running',
    young: `ended less than ${shownDuration(olderThanMs)} ago`,
  }[because];
}

function advice(because: KeptBecause, taskId: string, io: Io): string {
  if (because === 'unread') return `Remove it anyway: ${io.hint('prune', taskId)} --unread`;
  if (because === 'young') return 'Leave --older-than out';
  if (because === 'watched') return 'Its matches may be pending';
  return `Stop ${because === 'running' ? 'it' : 'them'} first: ${io.hint('kill', taskId)}`;
}
