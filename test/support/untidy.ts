import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sessionPaths } from '../../src/tasklog/paths.ts';
import { Agent } from './agents.ts';
import { type Entry, listing } from './listing.ts';
import { hasFact, overwrite } from './logs.ts';
import { lives, onWindows } from './processes.ts';
import { untilAsleep } from './queues.ts';
import { letRetentionBeDue } from './retention.ts';
import { type World, waitFor } from './world.ts';

/** Tasks by what is to be done for them. */
export interface Untidy {
  /** Ended, acknowledged, and older than its own retention. */
  readonly expired: string;
  /** Ended and acknowledged. */
  readonly done: string;
  /** Ended, and pending. */
  readonly pending: string;
  /** Runs. */
  readonly running: string;
  /** Ended when nobody watched; its output is longer than is to be kept. */
  readonly unsettled: string;
  /** Waited for its turn when its spawner died. It has had it since; on Windows nobody gives it. */
  readonly queued: string;
}

/**
 * Makes a store in which there is something to do for everybody who may change one: tasks to settle, to start, to shorten
 * and to remove, what crashes have left, a session without tasks, a folder that is open to others.
 */
export async function untidy(world: World): Promise<Untidy> {
  const session = await world.session('test', { retentionMs: 1_000 });
  const { task: expired } = await session.run('echo expired');
  await session.close();
  const later = await world.session();
  const { task: done } = await later.run('echo done; exit 3', { name: 'done' });
  const pending = await later.spawn('echo pending; exit 4');
  await pending.wait({ ack: false });
  await pending.addWatch('pending', { id: 'w' });
  const running = await later.spawn('echo running; sleep 1000', { timeoutMs: null });
  for await (const { text } of running.follow()) if (text.includes('running')) break;
  await later.close();
  const { unsettled, queued } = await leftByACrash(world);
  const { endedAt } = expired.snapshot();
  const longAgo = `"endedAt":${(endedAt ?? 0) - 3_600_000}`;
  overwrite(world.logOf(expired.id), `"endedAt":${endedAt}`, longAgo);
  leaveStrays(world, done.id);
  letRetentionBeDue(world.dir);
  return { expired: expired.id, done: done.id, pending: pending.id, running: running.id, unsettled, queued };
}

/**
 * What two tasks become of whose spawner dies while they run and wait for their turn: both run to their end, of which
 * nobody takes note. On Windows the second goes on waiting, since nobody gives it its turn.
 */
async function leftByACrash(world: World): Promise<{ unsettled: string; queued: string }> {
  const gate = join(world.base, 'may-end');
  await using agent = await Agent.start(world.dir, { sessionId: 'left', session: { maxRunning: 1 } });
  const ids = await agent.run(async ({ session }, path) => {
    const options = { keepOutputBytes: 100, onLimit: 'queue' } as const;
    const first = await session.spawn(`until [ -e '${path}' ]; do sleep 0.05; done; seq 1000`, options);
    return [first.id, (await session.spawn('echo queued', options)).id];
  }, gate);
  const [unsettled = '', queued = ''] = ids;
  const store = await world.store({ readOnly: true });
  await waitFor(() => store.task(queued).snapshot().status === 'queued', 'the second to wait');
  await untilAsleep(world, { id: queued });
  await agent.crash();
  writeFileSync(gate, '');
  // Until their shims are gone, too, so that nothing changes by itself afterwards.
  for (const id of onWindows ? [unsettled] : [unsettled, queued]) {
    const end = (): boolean => {
      const { endedAt, shimPid } = store.task(id).snapshot();
      return endedAt !== null && !(shimPid !== null && lives(shimPid));
    };
    await waitFor(end, `the end of ${id}`);
  }
  await store.close();
  return { unsettled, queued };
}

function leaveStrays(world: World, of: string): void {
  const { dir: session } = world.sessionOf(of);
  const output = join(session, 'output');
  const empty = sessionPaths(world.dir, 'empty');
  const files = {
    [`${world.dir}/store.json.0123456789ab.tmp`]: '{',
    [`${world.dir}/doorbell-0123456789abcdef`]: '',
    [`${session}/session.json.0123456789ab.tmp`]: '{',
    [`${session}/tasks/bgb-000000010000.jsonl`]: '',
    [`${session}/tasks/bgb-000000020000.removed`]: 'x',
    [`${output}/bgb-000000020000.out`]: 'of one that is being removed',
    [`${output}/bgb-000000030000.out`]: 'of nobody',
    [`${output}/${of}.out.1-1.cut`]: 'of a dead writer',
    [`${session}/tasks/bgb-000000040000.jsonl`]: '\n{"fact":"exit",\n'.repeat(5_000),
  };
  for (const [path, content] of Object.entries(files)) {
    writeFileSync(path, content, { mode: 0o600 });
    utimesSync(path, 1, 1);
  }
  for (const folder of [empty.tasks, empty.output]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(empty.record, '{"outlive":"session","version":2,"sessionId":"empty","createdAt":1}\n');
  chmodSync(world.dir, 0o755);
}

/** Everything in a store and about its folder: names, kinds, modes, sizes, times, and what is in the files. */
export function everything(dir: string): (Entry & { readonly content: string })[] {
  return [
    ...listing(dirname(dir)).filter(({ path }) => path.startsWith(dir.slice(dirname(dir).length + 1))),
  ].map((entry) => {
    const path = join(dirname(dir), entry.path);
    const isRead = !entry.isFolder && !/doorbell-|\.sock$/.test(entry.path);
    const content = isRead ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
    return { ...entry, content };
  });
}

/** Opens a session to write, which does all that there was to do; waits until it is done. */
export async function tidied(
  world: World,
  { expired, unsettled, queued, done, pending }: Untidy,
): Promise<void> {
  for (const id of ['test', 'left']) await world.session(id);
  const untidied = (): string[] => {
    const files = world.files();
    const strays = files.filter((path) => /\.tmp$|\.cut$|\.removed$|doorbell-|bgb-0000000[123]/.test(path));
    const old = files.filter((path) => path.includes(expired) || path.includes('/empty-'));
    const todo = [unsettled, queued].filter((id) => !hasFact(world.logOf(id), 'outcome'));
    const long = hasFact(world.logOf(unsettled), 'cut') ? [] : ['an output that is too long'];
    return [...strays, ...old, ...todo, ...long];
  };
  await waitFor(() => untidied().length === 0, 'everything to be tidied up').catch(() => undefined);
  assert.deepEqual(untidied(), []);
  assert.deepEqual(
    [done, pending].map((id) => world.taskIds().includes(id)),
    [true, true],
  );
}
