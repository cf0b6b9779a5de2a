import type { KillOptions } from '../api/kill-options.ts';
import type { Store } from '../api/store.ts';
import { OutliveError } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { visible } from '../util/visible.ts';
import { acknowledgePrinted } from './acknowledge.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import { type CommonOptions, findAll, handleOf, sessionIdOf, withStore } from './open.ts';
import { headline, jsonLine } from './present/task.ts';
import { report } from './report.ts';

interface KillVerbOptions extends CommonOptions {
  readonly signal?: string;
  readonly grace?: number;
  readonly all?: boolean;
  readonly bound?: boolean;
}

/** `outlive kill`: stops tasks whole, all at once, and says what became of each. */
export async function kill(io: Io, references: readonly string[], options: KillVerbOptions): Promise<number> {
  const { all = false, bound = false } = options;
  const ways = [references.length > 0, all, bound].filter(Boolean).length;
  if (ways !== 1) {
    const found = ways === 0 ? 'none of them' : 'more than one of them';
    throw new OutliveError(
      'USAGE',
      `expected tasks, or --all, or --bound; found ${found}. See: outlive kill --help`,
    );
  }
  return await withStore(options, async (store) => {
    let status: number = exitStatus.ok;
    for (const stop of await Promise.allSettled(await stopsOf(io, store, references, options))) {
      const found =
        stop.status === 'fulfilled' ? await tell(io, store, stop.value, options) : report(io, stop.reason);
      status = Math.max(status, found);
    }
    return status;
  });
}

/** A task before and after its stop; `before` is null where it is known to have run. */
interface Stopped {
  readonly before: TaskSnapshot | null;
  readonly after: TaskSnapshot;
}

/** Every task that is named is found before the first one is stopped. */
async function stopsOf(
  io: Io,
  store: Store,
  references: readonly string[],
  options: KillVerbOptions,
): Promise<Promise<Stopped>[]> {
  const sessionId = sessionIdOf(options);
  if (options.bound) {
    const { grace } = options;
    const session = await store.session(sessionId);
    return (await session.end(grace === undefined ? {} : { graceMs: grace })).map(async (after) => ({
      before: null,
      after,
    }));
  }
  const targets = options.all
    ? await store.tasks({ live: true, sessionId })
    : findAll(io, store, references, options);
  return targets.map(async (before) => {
    const task = await handleOf(store, before);
    return { before, after: await task.kill(killOptions(options)) };
  });
}

function killOptions({ signal: name, grace }: KillVerbOptions): KillOptions {
  return {
    // What is no signal is refused by the library, which knows those of this system.
    ...(name !== undefined && { killSignal: name as NodeJS.Signals }),
    ...(grace !== undefined && { graceMs: grace }),
    // Acknowledged when it is printed, not before.
    ack: false,
  };
}

async function tell(
  io: Io,
  store: Store,
  { before, after: snapshot }: Stopped,
  options: KillVerbOptions,
): Promise<number> {
  await io.out(io.json ? jsonLine(snapshot) : sayStopped(io, before, snapshot));
  if (isEnded(snapshot.status)) await acknowledgePrinted(io, store, snapshot, options);
  if (snapshot.leftovers.length === 0) return exitStatus.ok;
  const survivors = snapshot.leftovers.map(({ pid, command }) => `${pid} ${visible(command)}`).join('; ');
  io.note(
    `${snapshot.taskId}: expected every process to be gone; found alive: ${survivors}. Look at them with ps`,
  );
  return exitStatus.failed;
}

/** Of a task that had ended nothing was stopped but what it had left. */
function sayStopped(io: Io, before: TaskSnapshot | null, after: TaskSnapshot): string {
  if (before === null || !isEnded(before.status)) return `${headline(after, io)}\n`;
  const alive = new Set(after.leftovers.map(({ pid }) => pid));
  const stopped = before.leftovers.filter(({ pid }) => !alive.has(pid));
  const lines = stopped.map(({ pid, command }) => `  stopped what it had left: ${pid} ${visible(command)}\n`);
  return `${headline(after, io, 'had already ended: ')}\n${lines.join('')}`;
}
