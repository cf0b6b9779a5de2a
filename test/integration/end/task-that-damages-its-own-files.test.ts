import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OutliveError, Session, TaskSnapshot } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { factsOf } from '../../support/logs.ts';
import { isLive, quote, World, waitFor } from '../../support/world.ts';

/** A task finds its log through its shim, and its output through itself. */
const find = 'log=$(readlink /proc/$PPID/fd/3); out=$(readlink /proc/$$/fd/1); echo some output;';

const damages = [
  ': >"$log"',
  'rm "$log"',
  'rm "$log"; ln -s "$precious" "$log"',
  'rm "$log"; mkfifo "$log"',
  'rm "$log"; mkdir "$log"',
  'head -c 100000 /dev/urandom >"$log"',
  'cp "$neighbour" "$log.new"; mv "$log.new" "$log"',
  'cat "$neighbour" >"$log"',
  ': >"$out"',
  'rm "$out"',
  'rm "$out"; ln -s "$precious" "$out"',
  'rm "$out"; ln -s /dev/zero "$out"',
  'rm "$out"; mkfifo "$out"',
  'rm "$out"; mkdir "$out"',
  'truncate -s 90M "$out"',
  'rm "$log" "$out"; ln -s "$out" "$log"; ln -s "$log" "$out"',
];

test('tasks that damage their own log and output harm no other task, and nothing false is reported of them', async () => {
  await using scene = await Scene.set();
  const { session, world } = scene;
  const tasks = await Promise.all(
    damages.map((damage) => session.spawn(`${scene.names}${damage}; exit 5`, { maxOutputBytes: null })),
  );
  for (const [n, task] of tasks.entries())
    scene.checkVerdict(damages[n], await task.wait().catch(isGone), /^failed 5$/);
  scene.checkOthers();
  await using other = await Agent.start(world.dir);
  const seen = await other.run(async ({ session: theirs }) => await theirs.tasks());
  for (const [n, { id }] of tasks.entries())
    scene.checkVerdict(damages[n], seen.find(({ taskId }) => taskId === id) ?? null, /^failed 5$/);
  await session.prune({ olderThanMs: 0 });
  await scene.checkEnd();
});

test('stopping tasks that have damaged their own log and output stops no other task', async () => {
  await using scene = await Scene.set();
  const { session, world } = scene;
  await using other = await Agent.start(world.dir);
  const tasks = await Promise.all(
    damages.map((damage) => session.spawn(`${scene.names}${damage}; echo $$ $PPID >"$mark"; exec sleep 300`)),
  );
  await waitFor(() => tasks.every(({ id }) => scene.pidsOf(id).length === 2), 'the damages');
  const stopThere = async (taskId: string) =>
    await other.run(async ({ session: own }, id) => await own.task(id).kill({ graceMs: 50 }), taskId);
  for (const [n, task] of tasks.entries()) {
    const isOwn = n % 2 === 0;
    const end = await (isOwn ? task.kill({ graceMs: 50 }) : stopThere(task.id)).catch(isGone);
    scene.checkVerdict(damages[n], end, /^killed (143|137|null)$/);
    scene.checkOthers();
    if (!isOwn) continue;
    // Its spawner needs no record to end it.
    const [command = 0, shim = 0] = scene.pidsOf(task.id);
    assert.equal(isLive(command), false, damages[n]);
    await waitFor(() => !isLive(shim), `the shim to be gone: ${damages[n]}`);
  }
  for (const { id } of tasks)
    for (const pid of scene.pidsOf(id)) if (isLive(pid)) process.kill(pid, 'SIGKILL');
  await scene.checkEnd();
});

function isGone(error: unknown): null {
  // Of an agent it comes as an error of another class.
  assert.equal((error as OutliveError).code, 'TASK_NOT_FOUND', String(error));
  return null;
}

/** A session with a task that does nothing wrong, and a file outside of the store. */
class Scene implements AsyncDisposable {
  readonly world: World;
  readonly session: Session;
  readonly #precious: string;
  readonly #go: string;
  #neighbour = '';

  private constructor(world: World, session: Session) {
    this.world = world;
    this.session = session;
    this.#precious = join(world.base, 'precious');
    this.#go = join(world.base, 'go');
  }

  static async set(): Promise<Scene> {
    const world = new World();
    const scene = new Scene(world, await world.session());
    const command = `until [ -e ${quote(scene.#go)} ]; do sleep 0.02; done; exit 7`;
    const { id } = await scene.session.spawn(command);
    scene.#neighbour = id;
    writeFileSync(scene.#precious, 'precious');
    await waitFor(() => factsOf(world.logOf(id)).length === 2, 'the neighbour to run');
    return scene;
  }

  /** What comes before a damage. */
  get names(): string {
    const { world } = this;
    const mark = `mark=${quote(world.base)}/\${OUTLIVE_TASK%.*}`;
    const neighbour = `neighbour=${quote(world.logOf(this.#neighbour))}`;
    return `${find} ${mark} ${neighbour} precious=${quote(this.#precious)}; `;
  }

  /** The pids of a task that has done its damage: the command's and the shim's. */
  pidsOf(taskId: string): number[] {
    const path = join(this.world.base, taskId);
    return existsSync(path) ? (readFileSync(path, 'utf8').match(/\d+/g) ?? []).map(Number) : [];
  }

  /** What is said of a task is true, or that nobody knows. */
  checkVerdict(damage: string | undefined, end: TaskSnapshot | null, truth: RegExp): void {
    if (end === null || end.status === 'lost') return;
    assert.match(`${end.status} ${end.exitCode}`, truth, damage);
  }

  /** Nobody has followed a link, and the neighbour runs. */
  checkOthers(): void {
    assert.equal(readFileSync(this.#precious, 'utf8'), 'precious');
    assert.equal(this.session.task(this.#neighbour).snapshot().status, 'running');
  }

  /** The store can be used, and the neighbour ends as it does. */
  async checkEnd(): Promise<void> {
    this.checkOthers();
    assert.equal((await this.session.run('exit 4')).snapshot.exitCode, 4);
    writeFileSync(this.#go, '');
    const end = await this.session.task(this.#neighbour).wait();
    assert.equal(end.exitCode, 7);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}
