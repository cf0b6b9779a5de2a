import { readdirSync, utimesSync } from 'node:fs';
import { openStore } from '../../../src/index.ts';
import { filesBelow } from '../below.ts';
import { isShim } from '../processes.ts';
import { linkOf, readText } from '../read.ts';
import { waitFor } from '../world.ts';
import { faultOf, type Seen } from './check.ts';
import type { Crew, Member } from './crew.ts';
import type { History } from './history.ts';

/** What has to come true within this time is waited for; it takes so long only when it never does. */
const settlesMs = 20_000;

/** Descriptors that a process has beside what it has of the store: Node's own, watches. */
const mostDescriptors = 60;

/** Waits until all have answered, and compares. */
export async function checkNow(history: History, crew: Crew): Promise<void> {
  await crew.calm();
  await until(history, crew, async () => await look(crew));
  for (const member of crew.members) await checkDescriptors(crew, member);
}

/**
 * The end of a run: all processes die or leave, the store is opened by another one, everything is stopped, and
 * every completion that nobody took is taken. Then nothing is left.
 */
export async function checkEnd(history: History, crew: Crew): Promise<void> {
  await checkNow(history, crew);
  await crew.end();
  for (const task of history.tasks) task.stopAsked = true;
  const store = await openStore({ dir: crew.world.dir });
  for (const id of store.sessions()) {
    const session = await store.session(id);
    await Promise.all(
      (await session.tasks()).map(({ taskId }) => session.task(taskId).kill({ graceMs: 0, ack: false })),
    );
    const pending = (await session.tasks()).filter(({ delivered }) => !delivered);
    const taken = await session.takePending();
    const isSame = same(
      pending.map(({ taskId }) => taskId),
      taken.map(({ taskId }) => taskId),
    );
    if (!isSame)
      throw new Error(
        `pending ${pending.map(({ taskId }) => taskId)}, and taken ${taken.map(({ taskId }) => taskId)}`,
      );
    if ((await session.takePending()).length > 0) throw new Error('something was taken twice');
    for (const { taskId } of taken) crew.note({ what: 'acked', who: 'the end', taskId, first: true });
  }
  await until(
    history,
    crew,
    async () => await seenBy(crew, new Map(store.sessions().map((id) => [id, [[]]]))),
  );
  await store.close();
  await checkNothingIsLeft(crew);
}

async function until(history: History, crew: Crew, see: () => Promise<Seen>): Promise<void> {
  let fault: string | null = null;
  const isRight = async (): Promise<boolean> => {
    fault = crew.faults[0] ?? faultOf(history, await see(), crew.entries());
    return fault === null || crew.faults.length > 0;
  };
  await waitFor(isRight, 'what was expected', settlesMs).catch(() => undefined);
  if (fault !== null) throw new Error(fault);
}

async function look(crew: Crew): Promise<Seen> {
  const pending = new Map<string, (readonly string[])[]>();
  for (const member of crew.members) {
    for (const session of member.open) {
      const lists = pending.get(session) ?? [];
      pending.set(session, lists);
      const answered = (ids: readonly string[]): void => void lists.push(ids);
      crew.ask(member, { verb: 'pending', session }, answered);
    }
  }
  await crew.calm();
  return await seenBy(crew, pending);
}

async function seenBy({ world }: Crew, pending: Seen['pending']): Promise<Seen> {
  const store = await openStore({ dir: world.dir });
  const tasks = await store.tasks();
  await store.close();
  return { tasks, pending, pidsOf: ({ taskId }) => world.pidsOf(taskId) };
}

/** It may be reading a record at the very moment in which we look: what is open is closed soon, or never. */
async function checkDescriptors({ world }: Crew, { agent, who }: Member): Promise<void> {
  const folder = `/proc/${agent.pid}/fd`;
  const targets = (): string[] => readdirSync(folder).map((name) => linkOf(`${folder}/${name}`));
  const ofTasks = (): string[] => targets().filter((target) => target.startsWith(`${world.dir}/sessions/`));
  await waitFor(() => ofTasks().length === 0, 'files to be closed', settlesMs).catch(() => {
    throw new Error(`${who} has files of tasks open: ${ofTasks()}`);
  });
  const open = targets();
  if (open.length > mostDescriptors) throw new Error(`${who} has ${open.length} descriptors: ${open}`);
}

async function checkNothingIsLeft({ world }: Crew): Promise<void> {
  // A task that is stopped before it starts has ended at once. Its shim learns of that a moment later, and leaves.
  const onlyShims = (): boolean => world.pids().every(isShim);
  const isOver = (): boolean => world.pids().length === 0 || !onlyShims();
  await waitFor(isOver, 'shims to leave', settlesMs).catch(() => undefined);
  const left = world.pids().map((pid) => readText(`/proc/${pid}/cmdline`));
  if (left.length > 0) throw new Error(`processes are left: ${left}`);
  // What crashes leave is swept when it is old.
  const old = Date.now() / 1000 - 7_200;
  for (const path of filesBelow(world.dir)) utimesSync(path, old, old);
  const store = await openStore({ dir: world.dir });
  for (const id of store.sessions()) await store.session(id);
  const ids = (await store.tasks()).map(({ taskId }) => taskId);
  await store.close();
  await waitFor(() => strays(world.dir, ids).length === 0, 'strays to go', 3_000).catch(() => undefined);
  const found = strays(world.dir, ids);
  if (found.length > 0) throw new Error(`files are left that belong to no task: ${found}`);
}

function strays(dir: string, ids: readonly string[]): string[] {
  const others =
    /\/(?:store|session)\.json$|\/store\/(?:retained-[\w,-]+|inotify)$|\/sessions\/[^/]+\/(?:queue|open-[\w-]+)$/;
  const ofTask =
    /\/(?:tasks|output|done\/[\w-]+)\/(bgb-\w+)\.(?:jsonl|out|err|out\.marks|err\.marks|cmd)$|\/keys\/[\w.-]+\/(bgb-\w+)\.\w+$/;
  return filesBelow(dir).filter((path) => {
    const [, ofFile, ofKey] = ofTask.exec(path) ?? [];
    const taskId = ofFile ?? ofKey;
    return taskId === undefined ? !others.test(path) : !ids.includes(taskId);
  });
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return JSON.stringify([...one].sort()) === JSON.stringify([...other].sort());
}
