import type { TaskSnapshot } from '../../../src/index.ts';
import type { AgentScope } from '../agent-types.ts';
import type { Tag } from './scene.ts';

/** What a process does to a session that it opens, and closes afterwards. `make`: beside it, it makes a store and uses it. */
export const deeds = [
  'sweep',
  'settle',
  'ack',
  'consume',
  'forget',
  'stop',
  'shutdown',
  'cut',
  'watch',
  'make',
] as const;

export type Deed = (typeof deeds)[number];

/** What is asked of a process. */
export interface Asked {
  /** `end`: it stops what is left, and waits until all has ended. `match`: it takes every match that is pending. */
  readonly deed: Deed | 'end' | 'match';
  readonly dir: string;
  readonly sessionId: string;
  readonly tasks: Readonly<Record<Tag, string>>;
}

/** What it says that it was told, and that it did. */
export interface Told {
  readonly snapshots: TaskSnapshot[];
  /** Completions, and matches, that it was the first of all to acknowledge. */
  readonly acked: string[];
  readonly matches: string[];
  readonly pruned: string[];
  /** Tasks whose end it has asked for. */
  readonly stopped: string[];
  /** Codes of what was refused. */
  readonly codes: string[];
  /** What is pending at its end. */
  readonly pending: string[];
  /** How many calls it made, where they are counted. */
  readonly calls: number | null;
}

/** Does it, in an agent: this function goes there as text. */
export async function act(
  { openStore, OutliveError, isEnded, fs }: AgentScope,
  { deed, dir, sessionId, tasks }: Asked,
): Promise<Told> {
  const counter = (globalThis as { diesAtCall?: { begin(): void; calls(): number } }).diesAtCall;
  counter?.begin();
  const told = {
    snapshots: [] as TaskSnapshot[],
    acked: [] as string[],
    matches: [] as string[],
    pruned: [] as string[],
    stopped: [] as string[],
    codes: [] as string[],
    pending: [] as string[],
  };
  /** Others may have removed what is asked for. */
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OutliveError)) throw error;
      told.codes.push(`${error.code} ${error.message}`);
      return undefined;
    }
  };
  const store = await openStore({ dir });
  try {
    const session = await store.session(sessionId, { maxRunning: 2 });
    const all = (await session.tasks()).map(({ taskId }) => taskId);
    const waitEach = async (timeoutMs: number): Promise<void> => {
      for (const id of all) {
        const end = await attempt(async () => await session.task(id).wait({ timeoutMs, ack: false }));
        if (end !== undefined) told.snapshots.push(end);
      }
    };
    const kill = async (id: string, graceMs: number): Promise<void> => {
      told.stopped.push(id);
      const end = await attempt(async () => await session.task(id).kill({ graceMs, ack: false }));
      if (end !== undefined) told.snapshots.push(end);
    };
    const takeAll = async (): Promise<void> => {
      for (const end of await session.takePending()) {
        told.snapshots.push(end);
        told.acked.push(end.taskId);
      }
    };
    switch (deed) {
      case 'sweep':
        break;
      case 'settle':
        await waitEach(100);
        break;
      case 'ack':
        await takeAll();
        for (const id of all)
          if (await attempt(async () => await session.task(id).ack())) told.acked.push(id);
        break;
      case 'consume': {
        const abortSignal = AbortSignal.timeout(200);
        for await (const { ack, ...end } of session.completions({ exclusive: true, abortSignal })) {
          told.snapshots.push(end);
          if (await ack()) told.acked.push(end.taskId);
        }
        break;
      }
      case 'forget':
        await waitEach(60);
        await takeAll();
        told.pruned.push(...(await session.prune({ olderThanMs: 0 })).taskIds);
        told.pruned.push(...(await store.prune({ olderThanMs: 0, maxBytes: 0 })).taskIds);
        break;
      case 'stop':
        await kill(tasks.stubborn, 30);
        await kill(tasks.leaves, 0);
        await kill(tasks.queued, 0);
        break;
      case 'shutdown':
        told.stopped.push(tasks.live, tasks.stubborn, tasks.queued);
        told.snapshots.push(...(await session.shutdown({ graceMs: 30 })));
        break;
      case 'cut': {
        await waitEach(60);
        const path = (await session.tasks()).find(({ name }) => name === 'big')?.output.path;
        for (let tries = 0; tries < 100 && path !== undefined; tries += 1) {
          if ((fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= 2_000) break;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        break;
      }
      case 'watch': {
        const abortSignal = AbortSignal.timeout(200);
        for await (const match of session.matches({ abortSignal }))
          if (await match.ack()) told.matches.push(match.text);
        const live = session.task(tasks.live);
        await attempt(async () => await live.addWatch('never', { id: 'more' }));
        await attempt(async () => await live.removeWatch('more'));
        break;
      }
      case 'make': {
        const made = await attempt(async () => await openStore({ dir: `${dir}-${sessionId}` }));
        const other = await attempt(async () => await made?.session('other'));
        const run = await attempt(async () => await other?.run('exit 3', { cwd: '/' }));
        const { exitCode = 3, statusReason = null, status = '' } = run?.snapshot ?? {};
        // To others an hour has passed, in which its shim has not come.
        if (exitCode !== 3 && statusReason !== 'spawn_aborted') told.codes.push(`it is told as ${status}`);
        await made?.close();
        break;
      }
      case 'match': {
        const over = new AbortController();
        // A watch is over when its task has ended and all of its matches are acknowledged.
        const isOver = (): boolean => session.task(tasks.live).watches().length === 0;
        const look = setInterval(() => isOver() && over.abort(), 10);
        const abortSignal = AbortSignal.any([over.signal, AbortSignal.timeout(10_000)]);
        for await (const match of session.matches({ abortSignal }))
          if (await match.ack()) told.matches.push(match.text);
        clearInterval(look);
        break;
      }
      case 'end':
        // It ends by itself, unless somebody has stopped it.
        await attempt(async () => await session.task(tasks.live).wait({ timeoutMs: 10_000, ack: false }));
        for (const id of all) {
          const now = session.task(id).snapshot();
          if (!isEnded(now.status) || now.leftovers.length > 0) await kill(id, 0);
        }
        await waitEach(15_000);
        break;
    }
    told.snapshots.push(...(await session.tasks()));
    told.pending.push(...(await session.pending()).map(({ taskId }) => taskId));
  } finally {
    await store.close();
  }
  return { ...told, calls: counter?.calls() ?? null };
}
