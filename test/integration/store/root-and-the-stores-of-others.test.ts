import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { makeSessionFolders } from '../../../src/engine/store/session-folder.ts';
import type { SpecFact, StartedFact } from '../../../src/model/facts.ts';
import { linux } from '../../../src/platform/linux/linux.ts';
import { sessionPaths, taskPaths } from '../../../src/tasklog/paths.ts';
import { Agent } from '../../support/agents.ts';
import { type Answer, CommandLine, objects } from '../../support/command-line.ts';
import { appendFacts, factsOf } from '../../support/logs.ts';
import { everything } from '../../support/untidy.ts';
import { isLive, waitFor } from '../../support/world.ts';

const nobody = 65_534;
/** A second user is needed, and the right to become that one. */
const isRoot = process.platform === 'linux' && process.geteuid?.() === 0;
const options = { skip: !isRoot && 'only root can become another user' };
const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];

/** A store of another user, in that user's home, with a task that runs, one that is pending, and one that is done. */
class Stranger extends CommandLine {
  readonly home = join(this.base, 'home');
  readonly stateDir = join(this.home, 'state');
  readonly ids: { running: string; pending: string; done: string } = { running: '', pending: '', done: '' };

  static async create(): Promise<Stranger> {
    const stranger = new Stranger();
    mkdirSync(stranger.home);
    chownSync(stranger.home, nobody, nobody);
    for (const path of [stranger.base, stranger.home]) chmodSync(path, 0o755);
    await using agent = await Agent.start(stranger.stateDir, {
      before: asNobody,
      env: { HOME: stranger.home },
    });
    const ids = await agent.run(async ({ session }) => {
      const running = await session.spawn('echo running; sleep 1000', { timeoutMs: null });
      const pending = await session.spawn('echo pending; exit 4');
      await pending.wait({ ack: false });
      const { task: done } = await session.run('echo done; exit 3');
      for await (const { text } of running.follow()) if (text.includes('running')) break;
      return { running: running.id, pending: pending.id, done: done.id };
    });
    Object.assign(stranger.ids, ids);
    return stranger;
  }

  /** Runs a verb on that store as root. */
  async root(verb: string, ...words: string[]): Promise<Answer> {
    return await this.call([verb, '--store', this.stateDir, '-s', 'test', ...words]);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of linuxPids(this.ids.running)) kill(pid);
    await super[Symbol.asyncDispose]();
  }
}

/** Live processes of a task, by what they carry. */
function linuxPids(taskId: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && (linux.cookieOf?.(pid) ?? '').startsWith(`${taskId}.`) && isLive(pid));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone.
  }
}

test('root does nothing in the store of another user, says so, and leaves no trace', options, async () => {
  await using stranger = await Stranger.create();
  const { running, pending, done } = stranger.ids;
  const before = everything(stranger.stateDir);
  const verbs = [
    ['run', 'true'],
    ['run', '--wait', 'true'],
    ['kill', running],
    ['kill', '--all'],
    ['wait', running, '--timeout', '1s'],
    ['wait', pending],
    ['completions', '--ack'],
    ['prune', '--older-than', '0s'],
  ];
  for (const [verb = '', ...words] of verbs) {
    const { status, stderr } = await stranger.root(verb, ...words);
    assert.equal(status, 125, `${verb}: ${stderr}`);
    assert.match(
      stderr,
      /^outlive: expected the store \S+ to be a directory of user 0; found one of user 65534\. /,
    );
    assert.match(stderr, /Run it as that user \(sudo -u '#65534'\), or name another folder/);
  }
  const doctor = await stranger.root('doctor', '--mend', '--json');
  assert.equal(doctor.status, 1);
  assert.match(JSON.stringify(objects(doctor.stdout)), /belongs to user 65534, and you are user 0/);
  await assert.rejects(stranger.store({ dir: stranger.stateDir }), { code: 'STORE_UNSAFE' });
  assert.deepEqual(everything(stranger.stateDir), before);
  assert.ok(linuxPids(running).length > 0, 'its task runs on');
  assert.ok(done);
});

test('root may read the store of another user, who can use it afterwards as before', options, async () => {
  await using stranger = await Stranger.create();
  const { running, pending, done } = stranger.ids;
  const before = everything(stranger.stateDir);
  assert.match((await stranger.root('ps', '-a')).stdout, new RegExp(`${running}[^]*${pending}[^]*${done}`));
  assert.equal((await stranger.root('logs', running)).stdout, 'running\n');
  assert.match((await stranger.root('show', done)).stdout, /^exit code +3$/m);
  assert.match((await stranger.root('completions')).stdout, new RegExp(`^${pending} failed, exit 4`));
  assert.equal((await stranger.root('wait', done)).status, 3);
  const store = await stranger.store({ dir: stranger.stateDir, readOnly: true });
  assert.equal(store.task(running).snapshot().status, 'running');
  assert.equal((await store.inspect(running)).processes.length > 0, true);
  assert.deepEqual(everything(stranger.stateDir), before);
  await using agent = await Agent.start(stranger.stateDir, { before: asNobody });
  const used = await agent.run(
    async ({ session, store: own }, ids) => {
      const { snapshot } = await session.run('echo more; exit 5');
      const { status } = await session.task(ids.running).kill({ graceMs: 0 });
      const taken = (await session.takePending()).map(({ taskId }) => taskId);
      await own.prune({ olderThanMs: 0 });
      return { exitCode: snapshot.exitCode, status, taken, left: (await own.tasks()).length };
    },
    { running },
  );
  assert.equal(used.exitCode, 5);
  assert.equal(used.status, 'killed');
  assert.ok(used.taken.includes(pending));
  assert.equal(used.left, 0);
});

test(
  'files that root has left in the store of another user keep nobody from the rest of it',
  options,
  async () => {
    await using stranger = await Stranger.create();
    const { done } = stranger.ids;
    // As earlier versions did, or a copy that root has made.
    const left = sessionPaths(stranger.stateDir, 'of root');
    makeSessionFolders(left, 'of root');
    const file = join(stranger.stateDir, 'retained-1-any');
    writeFileSync(file, '', { mode: 0o600 });
    await using agent = await Agent.start(stranger.stateDir, { before: asNobody });
    const used = await agent.run(async ({ session, store, diagnose }) => {
      const { snapshot } = await session.run('exit 5');
      const { findings } = await diagnose({ dir: store.dir });
      const pruned = await store.prune({ olderThanMs: 0 });
      return { exitCode: snapshot.exitCode, ids: pruned.taskIds, sessions: store.sessions(), findings };
    });
    assert.deepEqual([used.exitCode, used.ids.includes(done), used.sessions], [5, true, ['test']]);
    const { level, message } = used.findings.find(({ check }) => check === 'modes') ?? {};
    assert.equal(level, 'problem');
    assert.ok(message?.includes(left.dir) && message.includes(file), message);
  },
);

test('root makes no store in a folder of another user', options, async () => {
  await using stranger = await Stranger.create();
  const dir = join(stranger.home, 'a', 'b');
  await assert.rejects(stranger.store({ dir }), {
    code: 'STORE_UNSAFE',
    message: /in a folder of root; found that \S+home belongs to user 65534\. Run it as that user/,
  });
  assert.deepEqual(readdirSync(stranger.home), ['state']);
  // One that is not there is an empty one for who only reads.
  assert.deepEqual(await (await stranger.store({ dir, readOnly: true })).tasks(), []);
  await using agent = await Agent.start(dir, { before: asNobody });
  assert.equal(await agent.run(async ({ session }) => (await session.run('exit 3')).snapshot.exitCode), 3);
});

test('with the HOME of another user, as sudo may leave it, root uses root’s own store', options, async () => {
  await using stranger = await Stranger.create();
  const { HOME: _, ...rest } = process.env;
  const code = `import { defaultStoreFolder } from ${JSON.stringify(
    new URL('../../../src/platform/state-folder.js', import.meta.url).href,
  )}; process.stdout.write(defaultStoreFolder({}));`;
  const folderOf = async (before: readonly string[]): Promise<string> => {
    const [command = '', ...args] = [...before, process.execPath, '--input-type=module', '-e', code];
    const child = spawn(command, args, {
      env: { ...rest, HOME: stranger.home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    for await (const chunk of child.stdout) text += chunk;
    return text;
  };
  const own = join(stranger.home, '.local', 'state', 'outlive');
  assert.equal(await folderOf(asNobody), own);
  assert.equal(await folderOf([]), join(homedir(), '.local', 'state', 'outlive'));
  assert.ok(!existsSync(dirname(own)));
});

/** A process of root's that a record is forged to name. */
class Victim implements AsyncDisposable {
  readonly #child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isUnharmed(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && isLive(this.pid);
  }

  /** Ends it by SIGUSR2, which outlive never sends: the signal that it ended by, which is another if one came before. */
  async end(): Promise<NodeJS.Signals | null> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGUSR2');
    await ended;
    return this.#child.signalCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
  }
}

/** A record that names a process as its shim and its command, is to be stopped at once, and was asked to. */
function forge(log: string, taskId: string, pid: number): void {
  const self = linux.self();
  const start = linux.view(pid)?.start ?? null;
  const [spec] = factsOf(log).filter((fact): fact is SpecFact => fact.fact === 'spec');
  const { seal: _, ...rest } = spec as SpecFact;
  const dead = { ...self, pid: 4_000_000, start: 1 };
  const named = {
    taskId,
    command: 'sleep 1000',
    cookie: `${taskId}.0000000000000000`,
    timeoutMs: 1,
    graceMs: 0,
  };
  const started: StartedFact = {
    ...{ fact: 'started', pid, start, shimPid: pid, shimStart: start, subreaper: false },
    ...{ at: Date.now() - 60_000, monoMs: 0 },
  };
  const stop = { fact: 'stop', cause: 'kill', id: 'x', by: dead, at: 1, graceMs: 0, killSignal: 'SIGKILL' };
  writeFileSync(log, '', { mode: 0o600 });
  appendFacts(
    log,
    { ...rest, ...named, by: { ...self, pid: dead.pid, start: 1 }, leftovers: 'kill' },
    started,
    stop,
  );
}

test('root does not signal processes that a record of another user names', options, async () => {
  await using stranger = await Stranger.create();
  await using victim = new Victim();
  const { done } = stranger.ids;
  const logs = join(stranger.stateDir, 'sessions');
  const log = readdirSync(logs, { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith(`${done}.jsonl`),
  );
  forge(join(logs, log ?? ''), done, victim.pid);
  const verbs = [
    ['ps', '-a'],
    ['show', done],
    ['kill', '--grace', '0s', done],
    ['kill', '--all'],
    ['wait', done],
    ['run', 'true'],
    ['completions', '--ack'],
    ['doctor', '--mend'],
    ['prune'],
  ];
  for (const [verb = '', ...words] of verbs) await stranger.root(verb, ...words);
  assert.equal(await victim.end(), 'SIGUSR2');
});

test('a record of another user in root’s own store does not count', options, async () => {
  await using world = new CommandLine();
  const session = await world.session();
  const { task } = await session.run('true');
  await session.close();
  await using victim = new Victim();
  const { log } = taskPaths(world.sessionOf(task.id), task.id);
  // Back among those to which something may happen.
  renameSync(world.logOf(task.id), log);
  forge(log, task.id, victim.pid);
  chownSync(log, nobody, nobody);
  const later = await world.session();
  assert.deepEqual(await later.tasks(), []);
  assert.throws(() => later.task(task.id), { code: 'TASK_NOT_FOUND' });
  await later.shutdown({ graceMs: 0 });
  for (const words of [
    ['kill', task.id],
    ['kill', '--all'],
    ['doctor', '--mend'],
  ])
    await world.run(...words, '-s', 'test');
  await new Promise((next) => setTimeout(next, 1_500));
  assert.ok(victim.isUnharmed);
  const { stdout } = await world.run('doctor');
  assert.match(stdout, new RegExp(`^problem {2}modes: 1 file[^\n]* belongs\\b[^\n]*${task.id}`, 'm'));
  // The same record of root's own is believed: what is tried above would have harmed it.
  chownSync(world.logOf(task.id), 0, 0);
  await later.close();
  await world.session();
  await waitFor(() => !victim.isUnharmed, 'the stop to be carried out');
});
