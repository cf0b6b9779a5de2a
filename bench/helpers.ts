import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEnded, openStore, type Session } from '../src/index.ts';
import { doneLog, doneLogs } from '../src/tasklog/done.ts';
import { sessionPaths } from '../src/tasklog/paths.ts';
import { serveAgent, serveEditor } from './acp-peers.ts';
import { spawnBare } from './bare.ts';
import { hostOfFleet, serveFleet } from './fleet-processes.ts';
import { type Answer, answer } from './helper.ts';
import { serveMcp } from './mcp-client.ts';
import { pause, timed } from './measure.ts';

/** A command that does nothing, as one process. */
const quietCommand = 'exec sleep 3600';

/** The session that helpers work in. */
export const helperSession = 'bench';

/** Runs in a helper process; the kinds are the keys. */
export const helpers: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  tasks: holdTasks,
  children: holdChildren,
  adopter,
  spawner,
  viewer,
  mcp: serveMcp,
  'fleet-server': serveFleet,
  'fleet-host': hostOfFleet,
  'acp-editor': serveEditor,
  'acp-agent': serveAgent,
};

/** Holds quiet tasks of the library. */
async function holdTasks([dir, count]: readonly string[]): Promise<void> {
  const store = await openStore({ dir: String(dir) });
  const session = await store.session(helperSession, { maxRunning: Number(count) + 1 });
  for (let round = 0; round < 20; round += 1) await (await session.spawn('true')).wait();
  await hold(
    Number(count),
    async () => (await session.spawn(quietCommand, { shell: '/bin/sh', maxOutputBytes: 2 ** 30 })).id,
  );
}

/** Watches a store, as a page does. */
async function viewer([dir]: readonly string[]): Promise<void> {
  const store = await openStore({ dir: String(dir), readOnly: true });
  const events = store.watch();
  let cpu = process.cpuUsage();
  answer({
    async start() {
      const { value } = await events.next();
      // What is told from now on is taken at once.
      void (async () => {
        for await (const _ of events);
      })();
      return { tasks: value?.type === 'snapshot' ? value.tasks.length : 0 };
    },
    async cpu() {
      const { user, system } = process.cpuUsage(cpu);
      cpu = process.cpuUsage();
      return { ms: (user + system) / 1000 };
    },
  });
}

/** Holds as many bare children. */
async function holdChildren([dir, count]: readonly string[]): Promise<void> {
  const held: ChildProcess[] = [];
  await hold(Number(count), async () => {
    held.push(spawnBare('/bin/sh', quietCommand, join(String(dir), `child-${held.length}`)));
  });
}

/** A fork server ends a second after the last spawn. */
const burstIsOverMs = 1_500;

async function hold(count: number, spawnOne: () => Promise<unknown>): Promise<void> {
  let begin: Answer = {};
  let cpu = process.cpuUsage();
  answer({
    async start() {
      // The fork server of the spawns before has ended by then.
      await pause(burstIsOverMs);
      begin = footprint();
      for (let spawned = 0; spawned < count; spawned += 1) await spawnOne();
      return {};
    },
    async footprint() {
      const end = footprint();
      const grown = (name: string): number => Number(end[name]) - Number(begin[name]);
      return { heapBytes: grown('heapBytes'), descriptors: grown('descriptors') };
    },
    async cpu() {
      const { user, system } = process.cpuUsage(cpu);
      cpu = process.cpuUsage();
      return { ms: (user + system) / 1000 };
    },
  });
}

function footprint(): Answer {
  // Twice: what the first run finds dead may hold what only the second one finds.
  global.gc?.();
  global.gc?.();
  return { heapBytes: process.memoryUsage().heapUsed, descriptors: readdirSync('/proc/self/fd').length };
}

/** Spawns one command, to be killed while it runs. */
async function spawner([dir, command]: readonly string[]): Promise<void> {
  const store = await openStore({ dir: String(dir) });
  const session = await store.session(helperSession);
  answer({
    async spawn() {
      await session.spawn(String(command), { shell: '/bin/sh' });
      return {};
    },
  });
}

/** Opens a session that others have left, once, with code that nothing has warmed up. */
async function adopter([dir]: readonly string[]): Promise<void> {
  const store = await openStore({ dir: String(dir) });
  let session: Session | undefined;
  answer({
    async adopt() {
      const ms = await timed(async () => {
        session = await store.session(helperSession);
      });
      return { ms };
    },
    async running() {
      const tasks = (await session?.tasks()) ?? [];
      return { count: tasks.filter((task) => !isEnded(task.status)).length };
    },
    async pending() {
      return { count: (await session?.pending())?.length ?? 0 };
    },
    async read() {
      const session = sessionPaths(String(dir), helperSession);
      const done = [...doneLogs(session)].map((log) => doneLog(session, log));
      const live = readdirSync(session.tasks).map((name) => join(session.tasks, name));
      const ms = await timed(() => {
        for (const path of [...live, ...done]) {
          const lines = readFileSync(path, 'utf8').split('\n');
          for (const line of lines) if (line.startsWith('{')) JSON.parse(line);
        }
      });
      return { ms };
    },
  });
}
