import type { Store } from '../api/store.ts';
import type { KillOptions } from '../api/task.ts';
import { OutliveError } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import { type CommonOptions, findAll, handleOf, sessionIdOf, withStore } from './open.ts';
import { headline, jsonLine } from './present/task.ts';
import { visible } from './present/text.ts';
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
      `expected tasks, or --all, or --bound; found ${found}. See: outlive help kill`,
    );
  }
  return await withStore(options, async (store) => {
    let status: number = exitStatus.ok;
    for (const stop of await Promise.allSettled(await stopsOf(store, references, options))) {
      const found = stop.status === 'fulfilled' ? await tell(io, stop.value) : report(io, stop.reason);
      status = Math.max(status, found);
    }
    return status;
  });
}

/** Every task that is named is found before the first one is stopped. */
async function stopsOf(
  store: Store,
  references: readonly string[],
  options: KillVerbOptions,
): Promise<Promise<TaskSnapshot>[]> {
  const sessionId = sessionIdOf(options);
  if (options.bound) {
    const { grace } = options;
    const session = await store.session(sessionId);
    return (await session.end(grace === undefined ? {} : { graceMs: grace })).map(async (ended) => ended);
  }
  const targets = options.all
    ? await store.tasks({ live: true, sessionId })
    : findAll(store, references, options);
  return targets.map(async (target) => await (await handleOf(store, target)).kill(killOptions(options)));
}

function killOptions({ signal: name, grace }: KillVerbOptions): KillOptions {
  return {
    // What is no signal is refused by the library, which knows those of this system.
    ...(name !== undefined && { killSignal: name as NodeJS.Signals }),
    ...(grace !== undefined && { graceMs: grace }),
  };
}

async function tell(io: Io, snapshot: TaskSnapshot): Promise<number> {
  await io.out(io.json ? jsonLine(snapshot) : `${headline(snapshot, io)}\n`);
  if (snapshot.leftovers.length === 0) return exitStatus.ok;
  const survivors = snapshot.leftovers.map(({ pid, command }) => `${pid} ${visible(command)}`).join('; ');
  io.note(
    `${snapshot.taskId}: expected every process to be gone; found alive: ${survivors}. Look at them with ps`,
  );
  return exitStatus.failed;
}
