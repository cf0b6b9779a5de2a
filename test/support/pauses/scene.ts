import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SpawnOptions } from '../../../src/index.ts';
import type { Agent } from '../agents.ts';
import { filesBelow } from '../below.ts';
import { hasFact } from '../logs.ts';
import { cookieOf, livePids } from '../processes.ts';
import { quote, type World, waitFor } from '../world.ts';

/** The tasks of a scene, one of each kind. */
export const tags = ['ended', 'acked', 'leaves', 'unsettled', 'big', 'live', 'stubborn', 'queued'] as const;

export type Tag = (typeof tags)[number];

/** How each of them ends by itself. */
export const ends: Readonly<Record<Tag, string | null>> = {
  ended: 'failed 3',
  acked: 'completed 0',
  leaves: 'failed 8',
  unsettled: 'failed 5',
  big: 'failed 6',
  live: 'failed 7',
  stubborn: null,
  queued: 'failed 9',
};

/** Older than everything that is swept when it is old. */
const longAgoMs = 7_200_000;

/**
 * A session with tasks of every kind, as the next process finds them: their spawner has closed it, and some have ended
 * since. Beside them is what crashed processes have left.
 */
export class Scene {
  readonly sessionId: string;
  readonly tasks: Readonly<Record<Tag, string>>;
  readonly #world: World;
  readonly #ran: string;
  readonly #late: string;
  /** What crashed processes have left: paths. */
  readonly debris: readonly string[];

  private constructor(world: World, sessionId: string, tasks: Readonly<Record<Tag, string>>) {
    this.#world = world;
    this.sessionId = sessionId;
    this.tasks = tasks;
    this.#ran = ranFile(world, sessionId);
    this.#late = lateGate(world, sessionId);
    this.debris = this.#litter();
  }

  static async set(world: World, maker: Agent, sessionId: string): Promise<Scene> {
    const soon = `${world.base}/${sessionId}.soon`;
    const asked = { dir: world.dir, sessionId, specs: specsOf(world, sessionId, soon) };
    const tasks = await maker.run(async ({ openStore }, { dir, sessionId: id, specs }) => {
      const made: Record<string, string> = {};
      for (const isQueued of [false, true]) {
        const store = await openStore({ dir });
        const session = await store.session(id, { maxRunning: isQueued ? 2 : 64 });
        for (const [tag, command, options] of specs) {
          if ((options.onLimit === 'queue') !== isQueued) continue;
          const task = await session.spawn(command, { ...options, name: tag, graceMs: 100 });
          made[tag] = task.id;
          if (tag === 'acked' || tag === 'leaves') await task.wait();
          if (tag === 'ended') await task.wait({ ack: false });
          if (tag === 'live') await task.addWatch({ regexp: 'error \\d' }, { id: 'errors' });
        }
        await store.close();
      }
      return made as Record<Tag, string>;
    }, asked);
    writeFileSync(soon, '');
    const has = (tag: Tag, kind: Parameters<typeof hasFact>[1]): boolean =>
      hasFact(world.logOf(tasks[tag]), kind);
    await waitFor(
      () =>
        has('unsettled', 'exit') &&
        has('big', 'exit') &&
        has('queued', 'waiting') &&
        has('stubborn', 'started'),
      'the scene to be set',
    );
    await waitFor(
      () => filesBelow(world.dir).some((path) => path.endsWith(`${tasks.stubborn}.out`)),
      'the stubborn one to write',
    );
    return new Scene(world, sessionId, tasks);
  }

  /** Lets those that run come to their end. */
  openGate(): void {
    writeFileSync(this.#late, '');
  }

  /** What has run, each time that it did. */
  ran(): string[] {
    return readFileSync(this.#ran, 'utf8').split('\n').filter(Boolean);
  }

  tagOf(taskId: string): Tag | undefined {
    return tags.find((tag) => this.tasks[tag] === taskId);
  }

  /** Live processes of its tasks, shims included. */
  pids(): number[] {
    const ids: readonly string[] = Object.values(this.tasks);
    return livePids().filter((pid) => ids.includes(cookieOf(pid)?.split('.')[0] ?? ''));
  }

  /** The files of the session. */
  files(): string[] {
    return filesBelow(this.#folder());
  }

  /** The files of the store that was made beside it. */
  made(): string[] {
    return filesBelow(`${this.#world.dir}-${this.sessionId}`);
  }

  #folder(): string {
    const sessions = `${this.#world.dir}/sessions`;
    const name = readdirSync(sessions).find((one) => one.startsWith(`${this.sessionId}-`));
    return `${sessions}/${name}`;
  }

  #litter(): string[] {
    const folder = this.#folder();
    const number = this.sessionId.replace(/\D/g, '').padStart(11, '0');
    const paths = [
      `${folder}/tasks/bgb-1${number}.jsonl`,
      `${folder}/output/bgb-2${number}.out`,
      `${folder}/tasks/bgb-3${number}.removed`,
      `${folder}/output/bgb-3${number}.out`,
      `${folder}/output/${this.tasks.ended}.out.999999-1.cut`,
      `${dirname(dirname(folder))}/store.json.${number.padStart(12, '0')}.tmp`,
    ];
    const then = (Date.now() - longAgoMs) / 1_000;
    for (const path of paths) {
      writeFileSync(path, '', { mode: 0o600 });
      utimesSync(path, then, then);
    }
    return paths;
  }
}

type Spec = readonly [Tag, string, SpawnOptions];

function specsOf(world: World, sessionId: string, soon: string): Spec[] {
  const ran = (tag: Tag): string => `echo ${tag} >>${quote(ranFile(world, sessionId))}`;
  const until = (gate: string): string => `until [ -e ${quote(gate)} ]; do sleep 0.02; done`;
  const errors = 'echo error 1; echo error 2';
  return [
    ['ended', `${ran('ended')}; exit 3`, {}],
    ['acked', `${ran('acked')}; exit 0`, {}],
    ['leaves', `${ran('leaves')}; setsid sleep 300 & sleep 0.05; exit 8`, {}],
    ['unsettled', `${ran('unsettled')}; ${until(soon)}; exit 5`, {}],
    ['big', `${ran('big')}; ${until(soon)}; seq 1 2000; exit 6`, { keepOutputBytes: 1_000 }],
    ['live', `${ran('live')}; ${errors}; ${until(lateGate(world, sessionId))}; echo error 3; exit 7`, {}],
    ['stubborn', `trap '' TERM; ${ran('stubborn')}; setsid sleep 300 & while :; do sleep 0.05; done`, {}],
    ['queued', `${ran('queued')}; exit 9`, { onLimit: 'queue' }],
  ];
}

function ranFile(world: World, sessionId: string): string {
  return `${world.base}/${sessionId}.ran`;
}

function lateGate(world: World, sessionId: string): string {
  return `${world.base}/${sessionId}.late`;
}
