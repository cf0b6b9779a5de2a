import type { AgentScope } from '../agent-types.ts';
import type { Tag } from './shelf.ts';

/** What a process does to a session with logs that are to be put away: it opens it, does that, lists it, and closes it. */
export const deeds = ['move', 'ack', 'watch', 'stop', 'read', 'prune'] as const;

export type Deed = (typeof deeds)[number];

/** What is asked of a process. */
export interface Asked {
  readonly deed: Deed;
  readonly dir: string;
  readonly sessionId: string;
  readonly tasks: Readonly<Record<Tag, string>>;
  /** The process has no right to write: it opens the session all the same, as if it had. */
  readonly cannotWrite: boolean;
}

/** A durable watch that was accepted, or whose match was. */
export interface Accepted {
  readonly taskId: string;
  readonly watchId: string;
}

/** What it says that it was told. */
export interface Told {
  /** The ids of each list of all tasks that it was given. */
  readonly lists: string[][];
  /** Each end that it was told: the id and how it ended. */
  readonly ends: { readonly taskId: string; readonly end: string }[];
  /** The tails of outputs. */
  readonly tails: { readonly taskId: string; readonly text: string }[];
  /** Completions that it was the first of all to acknowledge. */
  readonly acked: string[];
  readonly pruned: string[];
  readonly accepted: Accepted[];
  /** Matches that it was the first of all to acknowledge. */
  readonly matched: Accepted[];
  /** Codes of what was refused, and what was asked. */
  readonly refused: string[];
  /** How many calls it made, where they are counted. */
  readonly calls: number;
}

/** Does it, in an agent: this function goes there as text. */
export async function act(
  { openStore, OutliveError, fs }: AgentScope,
  { deed, dir, sessionId, tasks, cannotWrite }: Asked,
): Promise<Told> {
  const counter = (globalThis as { diesAtCall?: { calls(): number; pauseIn(calls: number): void } })
    .diesAtCall;
  const begin = counter?.calls() ?? 0;
  const told = {
    lists: [] as string[][],
    ends: [] as Told['ends'][number][],
    tails: [] as Told['tails'][number][],
    acked: [] as string[],
    pruned: [] as string[],
    accepted: [] as Accepted[],
    matched: [] as Accepted[],
    refused: [] as string[],
  };
  /** Others may have put away or removed what is asked for. */
  const attempt = async <T>(what: string, work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OutliveError)) throw error;
      told.refused.push(`${what}: ${error.code}`);
      return undefined;
    }
  };
  const store = await openStore({ dir, readOnly: deed === 'read' && !cannotWrite });
  const list = async (): Promise<void> => {
    for (const all of [await store.tasks({ sessionId }), await store.tasks()]) {
      const own = all.filter((task) => task.sessionId === sessionId);
      told.lists.push(own.map(({ taskId }) => taskId));
      for (const { taskId, status, exitCode } of own)
        told.ends.push({ taskId, end: `${status} ${exitCode}` });
    }
  };
  const isCut = (): boolean => {
    const name = fs.readdirSync(`${dir}/sessions`).find((one) => one.startsWith(`${sessionId}-`));
    const path = `${dir}/sessions/${name}/output/${tasks.big}.out`;
    return (fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= 2_000;
  };
  try {
    if (deed === 'read') {
      if (cannotWrite) {
        const session = await store.session(sessionId);
        told.lists.push((await session.tasks()).map(({ taskId }) => taskId));
      }
      await list();
      for (const [tag, id] of Object.entries(tasks)) {
        // Whole, by its beginning, and by its name.
        await attempt(`id ${tag}`, () => store.find(id, sessionId));
        await attempt(`prefix ${tag}`, () => store.find(id.slice(0, 14), sessionId));
        const named = await attempt(`name ${tag}`, () => store.find(tag, sessionId));
        if (named !== undefined) told.ends.push({ taskId: id, end: `${named.status} ${named.exitCode}` });
        const tail = await attempt(`tail ${tag}`, async () => await store.task(id).tail());
        if (tail !== undefined) told.tails.push({ taskId: id, text: tail.text });
      }
    } else {
      const session = await store.session(sessionId);
      const takeAll = async (): Promise<void> => {
        for (const { taskId } of await session.takePending()) told.acked.push(taskId);
        for (const [tag, id] of Object.entries(tasks))
          if (await attempt(`ack ${tag}`, async () => await session.task(id).ack())) told.acked.push(id);
      };
      const stopAll = async (): Promise<void> => {
        for (const [tag, id] of Object.entries(tasks)) {
          const end = await attempt(
            `stop ${tag}`,
            async () => await session.task(id).kill({ graceMs: 0, ack: false }),
          );
          if (end !== undefined) told.ends.push({ taskId: id, end: `${end.status} ${end.exitCode}` });
        }
      };
      if (deed === 'ack') await takeAll();
      if (deed === 'stop') await stopAll();
      if (deed === 'watch') {
        for (const [tag, id] of Object.entries(tasks)) {
          const watchId = `w${process.pid}-${begin}`;
          const task = await attempt(`watch ${tag}`, async () => {
            await session.task(id).addWatch('error', { id: watchId });
            return true;
          });
          if (task === true) told.accepted.push({ taskId: id, watchId });
        }
      }
      if (deed === 'move') {
        // What is left to do before a log may be put away, one after the other.
        await takeAll();
        for await (const match of session.matches({ wait: false }))
          if (await match.ack()) told.matched.push({ taskId: match.taskId, watchId: match.watchId });
        await stopAll();
        for (let tries = 0; tries < 400 && !isCut(); tries += 1)
          await new Promise((resolve) => setTimeout(resolve, 5));
      }
      if (deed === 'prune') {
        told.pruned.push(...(await session.prune({ olderThanMs: 0 })).taskIds);
        told.pruned.push(...(await store.prune({ olderThanMs: 0, maxBytes: 0 })).taskIds);
      }
      await list();
    }
  } finally {
    await store.close();
    // What it does by itself from now on is none of its deed.
    counter?.pauseIn(0);
  }
  return { ...told, calls: (counter?.calls() ?? 0) - begin };
}
