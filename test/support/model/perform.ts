import type { SpawnOptions } from '../../../src/index.ts';
import type { AgentScope } from '../agent-types.ts';

/** What an agent can be asked to do. A task is named by its tag. */
export type Request = {
  readonly session: string;
  readonly maxRunning: number;
  /** Where agents note what they were told and what they acknowledged, and under which name. */
  readonly journal: string;
  readonly who: string;
} & (
  | { readonly verb: 'spawn'; readonly command: string; readonly options: SpawnOptions }
  | {
      readonly verb: 'kill';
      readonly tag: string;
      readonly graceMs: number;
      readonly killSignal: NodeJS.Signals;
    }
  | { readonly verb: 'ack' | 'wait'; readonly tag: string }
  | { readonly verb: 'consume'; readonly exclusive: boolean; readonly holdMs: number; readonly most: number }
  | {
      readonly verb:
        | 'open'
        | 'takePending'
        | 'pending'
        | 'shutdown'
        | 'prune'
        | 'release'
        | 'close'
        | 'closeStore';
    }
);

/** What a journal holds: who was told of which completion, and whose acknowledgement was the first. */
export interface Entry {
  readonly what: 'begun' | 'told' | 'acked' | 'released' | 'crashing';
  readonly who: string;
  /** One iteration over completions. */
  readonly consumer?: string;
  readonly exclusive?: boolean;
  readonly taskId?: string;
  readonly first?: boolean;
}

/** Does it, in the agent: this function goes there as text. */
export async function perform(
  { store, kept, fs, isEnded }: AgentScope,
  request: Request,
): Promise<readonly string[]> {
  const { who } = request;
  const note = (entry: Omit<Entry, 'who'>): void =>
    fs.appendFileSync(request.journal, `${JSON.stringify({ ...entry, who })}\n`);
  const session = await store.session(request.session, { maxRunning: request.maxRunning });
  const find = async (tag: string) => {
    const found = (await session.tasks()).find(({ name }) => name === tag);
    return found === undefined ? null : session.task(found.taskId);
  };
  switch (request.verb) {
    case 'spawn':
      return [(await session.spawn(request.command, request.options)).id];
    case 'kill': {
      const { graceMs, killSignal } = request;
      const ended = await (await find(request.tag))?.kill({ graceMs, killSignal, ack: false });
      return ended === undefined ? [] : [ended.status];
    }
    case 'ack': {
      const task = await find(request.tag);
      const first = await task?.ack();
      if (task && first) note({ what: 'acked', taskId: task.id, first });
      return [];
    }
    case 'wait': {
      const snapshot = await (await find(request.tag))?.wait({ timeoutMs: 60 });
      return snapshot !== undefined && isEnded(snapshot.status) ? [snapshot.taskId] : [];
    }
    case 'consume': {
      const consumer = `${who}.${Math.random()}`;
      const { exclusive, holdMs } = request;
      const abort = new AbortController();
      const consumers = (kept[request.session] ?? new Set()) as Set<AbortController>;
      kept[request.session] = consumers;
      consumers.add(abort);
      const take = async (): Promise<void> => {
        let taken = 0;
        note({ what: 'begun', consumer, exclusive });
        for await (const { taskId, ack } of session.completions({ exclusive, abortSignal: abort.signal })) {
          note({ what: 'told', consumer, exclusive, taskId });
          await new Promise((resolve) => setTimeout(resolve, holdMs));
          taken += 1;
          // The last one is left to others.
          if (taken > request.most) {
            note({ what: 'released', consumer });
            break;
          }
          note({ what: 'acked', consumer, exclusive, taskId, first: await ack() });
        }
        note({ what: 'released', consumer });
        consumers.delete(abort);
      };
      take().catch(console.error);
      return [];
    }
    case 'release':
      for (const abort of (kept[request.session] ?? []) as Iterable<AbortController>) abort.abort();
      return [];
    case 'open':
      return [];
    case 'takePending': {
      const taken = await session.takePending();
      for (const { taskId } of taken) note({ what: 'acked', taskId, first: true });
      return taken.map(({ taskId }) => taskId);
    }
    case 'pending':
      return (await session.pending()).map(({ taskId }) => taskId);
    case 'shutdown':
      return (await session.shutdown({ graceMs: 100 })).map(({ taskId }) => taskId);
    case 'prune':
      return (await session.prune({ olderThanMs: 0 })).taskIds;
    case 'close':
      await session.close();
      return [];
    case 'closeStore':
      await store.close();
      return [];
  }
}
