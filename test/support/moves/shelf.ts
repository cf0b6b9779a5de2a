import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { SpawnOptions } from '../../../src/index.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { parseLog } from '../../../src/tasklog/read-log.ts';
import type { Agent } from '../agents.ts';
import { filesBelow } from '../below.ts';
import { appendFacts, hasFact } from '../logs.ts';
import { cookieOf, livePids } from '../processes.ts';
import { letEndEarlier, letRetentionBeDue } from '../retention.ts';
import { quote, type World, waitFor } from '../world.ts';

/** The tasks of a shelf, one of each kind. */
export const tags = ['pending', 'acked', 'watched', 'leaves', 'big', 'shelved', 'old'] as const;

export type Tag = (typeof tags)[number];

/** How each of them ends. */
export const ends: Readonly<Record<Tag, string>> = {
  pending: 'failed 3',
  acked: 'failed 4',
  watched: 'failed 5',
  leaves: 'failed 6',
  big: 'failed 7',
  shelved: 'failed 8',
  old: 'failed 9',
};

/** Those whose completion is acknowledged from the beginning. */
export const ackedBefore: readonly Tag[] = ['acked', 'watched', 'leaves', 'shelved', 'old'];

/** The watch that is open from the beginning. */
export const firstWatch = 'first';

const dayMs = 24 * 3_600_000;

/** A log, where it lies. */
export interface Log {
  readonly path: string;
  readonly text: string;
  readonly isPutAway: boolean;
  /** Whether it may be put away, by its facts. */
  readonly isDone: boolean;
  readonly hasOpenStop: boolean;
  /** The ids of the watches that are open, and of those whose matches somebody has acknowledged. */
  readonly watches: readonly string[];
  readonly seen: readonly string[];
}

/**
 * A session with logs that are to be put away, each once something else has happened: `pending` when it is acknowledged,
 * `acked` at once, since who acknowledged it has died of it, `watched` when its match is acknowledged, `leaves` when what
 * it has left is stopped, `big` when its end is settled and its output is shortened. `shelved` lies where it is to lie, and
 * `old` is to be put away and to be removed by the retention.
 */
export class Shelf {
  readonly sessionId: string;
  readonly tasks: Readonly<Record<Tag, string>>;
  readonly #world: World;
  /** What the logs were when all was set. */
  readonly before: ReadonlyMap<Tag, Log>;

  private constructor(world: World, sessionId: string, tasks: Readonly<Record<Tag, string>>) {
    [this.#world, this.sessionId, this.tasks] = [world, sessionId, tasks];
    this.before = new Map(tags.map((tag) => [tag, this.logsOf(tag)[0] as Log]));
  }

  static async set(world: World, maker: Agent, sessionId: string): Promise<Shelf> {
    const soon = `${world.base}/${sessionId}.soon`;
    const asked = { dir: world.dir, sessionId, specs: specsOf(soon), watch: firstWatch };
    const tasks = await maker.run(async ({ openStore }, { dir, sessionId: id, specs, watch }) => {
      const store = await openStore({ dir });
      const session = await store.session(id, { maxRunning: 64 });
      const made: Record<string, string> = {};
      await Promise.all(
        specs.map(async ([tag, command, options]) => {
          const task = await session.spawn(command, { ...options, name: tag });
          made[tag] = task.id;
          if (tag === 'watched') await task.addWatch('error', { id: watch });
          if (tag !== 'big') await task.wait({ ack: /^(?:watched|leaves|shelved)$/.test(tag) });
        }),
      );
      await store.close();
      return made as Record<Tag, string>;
    }, asked);
    writeFileSync(soon, '');
    await waitFor(() => hasFact(world.logOf(tasks.big), 'exit'), 'the large one to end');
    for (const tag of ['acked', 'old'] as const)
      appendFacts(world.logOf(tasks[tag]), { fact: 'delivered', id: 'x', at: Date.now() });
    letEndEarlier(world.logOf(tasks.old), 8 * dayMs);
    letRetentionBeDue(world.dir);
    return new Shelf(world, sessionId, tasks);
  }

  /** The logs of a task, wherever they lie. */
  logsOf(tag: Tag): Log[] {
    const logs = this.#lookForLogs(tag);
    // One that is put away between a look and the reading of it is found the second time.
    return logs.length > 0 ? logs : this.#lookForLogs(tag);
  }

  #lookForLogs(tag: Tag): Log[] {
    const name = `${this.tasks[tag]}.jsonl`;
    // One that is put away during a look is seen in the next.
    const paths = new Set([...this.files(), ...this.files()].filter((path) => basename(path) === name));
    return [...paths].flatMap((path) => {
      const text = textOf(path);
      if (text === null) return [];
      const { list } = parseLog(text);
      const { isDone, openStop, watches } = foldFacts(list);
      return {
        path,
        text,
        isPutAway: basename(dirname(path)) !== 'tasks',
        isDone,
        hasOpenStop: openStop !== undefined,
        watches: watches.filter(({ closed }) => !closed).map(({ fact }) => fact.id),
        seen: list.flatMap((fact) => (fact.fact === 'seen' ? [fact.watch] : [])),
      };
    });
  }

  /** Live processes of its tasks, shims included. */
  pids(): number[] {
    const ids: readonly string[] = Object.values(this.tasks);
    return livePids().filter((pid) => ids.includes(cookieOf(pid)?.split('.')[0] ?? ''));
  }

  /** The files of the session. Others may remove folders meanwhile. */
  files(): string[] {
    for (let left = 8; ; left -= 1) {
      try {
        const folder = this.folder();
        return folder === null ? [] : filesBelow(folder);
      } catch (error) {
        if (left === 0 || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }

  /** The folder of the session; null: there is none. */
  folder(): string | null {
    const sessions = `${this.#world.dir}/sessions`;
    const name = readdirSync(sessions).find((one) => one.startsWith(`${this.sessionId}-`));
    return name === undefined ? null : `${sessions}/${name}`;
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function specsOf(soon: string): [Tag, string, SpawnOptions][] {
  const failing = (tag: Tag, command = ''): string =>
    `echo error ${tag}; ${command} exit ${ends[tag].split(' ')[1]}`;
  const until = `until [ -e ${quote(soon)} ]; do sleep 0.01; done; seq 1 2000;`;
  return [
    ['pending', failing('pending'), {}],
    ['acked', failing('acked'), {}],
    ['watched', failing('watched'), {}],
    ['leaves', failing('leaves', 'setsid sleep 300 &'), { shell: 'sh' }],
    ['big', failing('big', until), { keepOutputBytes: 1_000 }],
    ['shelved', failing('shelved'), {}],
    ['old', failing('old'), {}],
  ];
}
