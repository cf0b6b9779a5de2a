import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Fact } from '../../src/model/facts.ts';
import { Agent } from './agents.ts';
import type { Chance } from './chance.ts';
import { type FactOf, factsOf } from './logs.ts';
import { cookieOf } from './processes.ts';
import { quote, type World, waitFor } from './world.ts';

/** More than the time that one task may take on the busiest machine. */
const mostMsOfATask = 1_000;

/** How many tasks go through how many places, and what happens on the way. */
export interface LongQueue {
  readonly tasks: number;
  readonly places: number;
  /** So many are spawned by one process after the other, each of which is killed, in the middle of that or afterwards. */
  readonly part: number;
  /** So many shims and commands are killed, or stopped by SIGSTOP and never continued by us. */
  readonly attacks: number;
}

/** A task of the queue, as its log tells. */
interface Life {
  readonly id: string;
  readonly order: number;
  readonly waiting: FactOf<'waiting'> | undefined;
  readonly started: FactOf<'started'> | undefined;
  readonly exit: FactOf<'exit'> | undefined;
}

/** What was done to whom. */
interface Attacks {
  left: number;
  /** When the shims of tasks were killed, in epoch milliseconds. */
  readonly killedAt: Map<string, number>;
  /** Those of which the shim was stopped at some time. */
  readonly stopped: Set<string>;
  readonly counts: Map<string, number>;
}

/**
 * Puts tasks into a queue while their spawners are killed, and shims that wait, shims that run and commands are killed and
 * stopped at random. At the end nobody has the session open, and nobody continues what was stopped. Looks, by the logs
 * alone, that each task that nobody killed ran to its end, that tasks started in their order, and that never more ran at a
 * time than there are places.
 * @returns what was done, for the report.
 */
export async function passThroughQueue(world: World, chance: Chance, queue: LongQueue): Promise<string> {
  const answered = `${world.base}/answered`;
  for (const path of [answered, `${world.base}/ended`]) writeFileSync(path, '');
  const attacks: Attacks = {
    left: queue.attacks,
    killedAt: new Map(),
    stopped: new Set(),
    counts: new Map(),
  };
  while (linesOf(answered).length < queue.tasks) await spawnPart(world, chance, queue, answered, attacks);
  const withinMs = mostMsOfATask * queue.tasks + 30_000;
  await waitFor(() => isOver(world, chance, attacks), 'the last task to end', withinMs);
  const ids = linesOf(answered);
  const lives = livesIn(world).filter(({ id }) => ids.includes(id));
  assert.equal(lives.length, ids.length, 'each task that was answered has its record');
  checkOrder(lives);
  checkPlaces(world, queue.places, attacks);
  await checkEnds(world, lives);
  const told = [...attacks.counts].map(([what, count]) => `${count} ${what}`).join(', ');
  return `${lives.length} tasks through ${queue.places} places, their spawners killed, ${told}`;
}

/** Has a process spawn its part of the tasks, and kills it in the middle of that, or when it is done. */
async function spawnPart(
  world: World,
  chance: Chance,
  { places, part }: LongQueue,
  answered: string,
  attacks: Attacks,
): Promise<void> {
  const agent = await Agent.start(world.dir, { session: { maxRunning: places } });
  const commands = Array.from({ length: part }, () => commandOf(world, chance.number(200)));
  const before = linesOf(answered).length;
  const enough = before + (chance.number(2) === 0 ? commands.length : Math.ceil(commands.length / 2));
  const spawned = agent
    .run(
      async ({ session, fs }, { all, path }) => {
        const one = async (command: string): Promise<void> => {
          const { id } = await session.spawn(command, { onLimit: 'queue' });
          fs.appendFileSync(path, `${id}\n`);
        };
        await Promise.all(all.map(one));
      },
      { all: commands, path: answered },
    )
    .catch(() => undefined);
  const isEnough = (): boolean => {
    attackOne(world, chance, attacks);
    return linesOf(answered).length >= enough;
  };
  await waitFor(isEnough, 'a part of the tasks to be spawned', mostMsOfATask * commands.length + 20_000);
  await agent.crash();
  await spawned;
  writeFileSync(`${world.base}/go`, '');
}

/** Nothing ends before the first part has been put into the queue, so that there is a line. */
function commandOf({ base }: World, ms: number): string {
  const note = (file: string): string => `echo "$OUTLIVE_TASK $EPOCHREALTIME" >>${quote(`${base}/${file}`)}`;
  const wait = `until [ -e ${quote(`${base}/go`)} ]; do sleep 0.05; done`;
  return `${note('ran')}; ${wait}; sleep 0.${String(ms).padStart(3, '0')}; ${note('ended')}`;
}

/** Looks whether every task has ended or was killed; perhaps attacks one that has not. */
function isOver(world: World, chance: Chance, attacks: Attacks): boolean {
  const open = openLives(world, attacks);
  // One whose spawner died before it had a shim.
  const isAborted = ({ id, waiting, started }: Life): boolean =>
    waiting === undefined && started === undefined && world.pidsOf(id).length === 0 && !hasShim(world, id);
  const left = open.filter((life) => !isAborted(life));
  // Those that wait have the others continued. When nobody waits any more, nobody cares.
  if (left.every(({ id }) => attacks.stopped.has(id))) for (const life of left) signalShim(life, 'SIGCONT');
  attackOne(world, chance, attacks);
  return left.length === 0;
}

function hasShim(world: World, id: string): boolean {
  return world.pids().some((pid) => cookieOf(pid)?.startsWith(`${id}.`));
}

function openLives(world: World, { killedAt }: Attacks): Life[] {
  return livesIn(world).filter(({ id, exit }) => exit === undefined && !killedAt.has(id));
}

/** Perhaps kills or stops a process of a task. Those in front of the line are hit as often as all others together. */
function attackOne(world: World, chance: Chance, attacks: Attacks): void {
  if (attacks.left === 0 || chance.number(4) > 0) return;
  const open = openLives(world, attacks).filter(({ waiting, started }) => waiting ?? started);
  const from = chance.number(2) === 0 ? open : open.slice(0, 12);
  const victim = from[chance.number(from.length)];
  if (victim === undefined) return;
  const { id, waiting, started } = victim;
  const shim = started?.shimPid ?? waiting?.pid ?? 0;
  const kind = started === undefined ? 'shims that wait' : 'shims that run';
  const [what, pid, killSignal] = chance.of<[string, number, NodeJS.Signals]>([
    [`${kind} killed`, shim, 'SIGKILL'],
    [`${kind} stopped`, shim, 'SIGSTOP'],
    ['commands killed', started?.pid ?? 0, 'SIGKILL'],
  ]);
  const now = Date.now();
  if (!signalOf(id, pid, killSignal)) return;
  if (pid === shim && killSignal === 'SIGKILL') attacks.killedAt.set(id, now);
  if (killSignal === 'SIGSTOP') attacks.stopped.add(id);
  attacks.left -= 1;
  attacks.counts.set(what, (attacks.counts.get(what) ?? 0) + 1);
}

function signalShim({ id, waiting, started }: Life, killSignal: NodeJS.Signals): void {
  signalOf(id, started?.shimPid ?? waiting?.pid ?? 0, killSignal);
}

/** Sends a signal to a process of a task; false when it is none. It may have ended since its log was read. */
function signalOf(id: string, pid: number, killSignal: NodeJS.Signals): boolean {
  if (pid === 0 || !cookieOf(pid)?.startsWith(`${id}.`)) return false;
  try {
    return process.kill(pid, killSignal);
  } catch {
    return false;
  }
}

/** All tasks that have a spec, in their order. */
function livesIn(world: World): Life[] {
  const lives = world.files().flatMap((path) => {
    if (!/\/tasks\/bgb-\w+\.jsonl$/.test(path)) return [];
    const facts = factsOf(`${world.dir}${path}`);
    const one = <K extends Fact['fact']>(kind: K): FactOf<K> | undefined =>
      facts.find((fact): fact is FactOf<K> => fact.fact === kind);
    const spec = one('spec');
    if (spec?.queue === undefined) return [];
    const { taskId: id, queue } = spec;
    return [{ id, order: queue.order, waiting: one('waiting'), started: one('started'), exit: one('exit') }];
  });
  return lives.sort((a, b) => a.order - b.order);
}

function checkOrder(lives: readonly Life[]): void {
  const starts = lives.flatMap(({ id, started }) =>
    started === undefined ? [] : [{ id, at: started.monoMs ?? 0 }],
  );
  for (const [index, { id, at }] of starts.entries()) {
    const { id: before, at: earlier } = starts[index - 1] ?? { id: '', at: 0 };
    assert.ok(at >= earlier, `${id} started ${earlier - at} ms before ${before}, which comes first`);
  }
}

/**
 * A place is taken from the start of a command to its end, or until its shim is killed. (A shim that is killed when its
 * command has ended, and before it has said so, has given up its place by then.)
 */
function checkPlaces(world: World, places: number, { killedAt }: Attacks): void {
  const noted = new Map(
    linesOf(`${world.base}/ended`).map((line) => {
      const [cookie = '', seconds] = line.split(' ');
      return [cookie.split('.')[0], Math.floor(Number(seconds) * 1_000)];
    }),
  );
  const changes = livesIn(world).flatMap(({ id, started, exit }) => {
    if (started === undefined) return [];
    const killed = killedAt.get(id);
    const ended = exit?.at ?? Math.min(noted.get(id) ?? Number.POSITIVE_INFINITY, killed ?? Number.NaN);
    assert.ok(!Number.isNaN(ended), `${id} has started, was not killed, and has not ended`);
    return started.at >= ended
      ? []
      : [
          { at: started.at, by: 1 },
          { at: ended, by: -1 },
        ];
  });
  // In one millisecond what ends makes room for what starts.
  changes.sort((a, b) => a.at - b.at || a.by - b.by);
  let running = 0;
  for (const { by, at } of changes) {
    running += by;
    assert.ok(running <= places, `${running} tasks ran at ${at} ms, and there are ${places} places`);
  }
}

/** What was left alone has ended well, and ran once; what was killed is told as it is. */
async function checkEnds(world: World, lives: readonly Life[]): Promise<void> {
  const ran = linesOf(`${world.base}/ran`).map((line) => line.split('.')[0]);
  assert.equal(new Set(ran).size, ran.length, 'a command ran twice');
  const session = await world.session();
  for (const { id, exit, started } of lives) {
    const { status, statusReason } = await session.task(id).wait({ timeoutMs: 20_000 });
    assert.equal(`${status} ${statusReason}`, expectedEnd({ exit, started }), id);
    if (exit?.code === 0) assert.ok(ran.includes(id), `${id} did not run`);
  }
}

function expectedEnd({ exit, started }: Pick<Life, 'exit' | 'started'>): string {
  // Its shim was killed; the command, if it had started, went on.
  if (exit === undefined) return started === undefined ? 'failed spawn_aborted' : 'lost no_exit_marker';
  // It was killed before it had become the command.
  if (!exit.ran) return 'failed spawn_aborted';
  return exit.code === 0 ? 'completed null' : 'failed signal';
}

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean);
}
