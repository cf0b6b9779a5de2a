import assert from 'node:assert/strict';
import { mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Paired } from '../../support/acp.ts';
import { onWindows } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

const sessionId = 'one';

/** Prints the working directory as the system writes it; git-bash would print a path of MSYS. */
const pwd = onWindows ? 'pwd -W' : 'pwd';
const asPrinted = (path: string): string => realpathSync(path).replaceAll('\\', '/');

/** Processes are asked to end on Unix, and ended on Windows. Of an end by a signal ACP wants the signal alone. */
const whenKilled = onWindows ? { exitCode: 1, signal: null } : { exitCode: null, signal: 'SIGTERM' };

test('an argv is taken word by word, with its environment and folder; its output and exit code come back', async () => {
  await using world = new World();
  using paired = new Paired({ store: await world.store() });
  const cwd = join(world.base, "a folder; it's one");
  mkdirSync(cwd);
  const terminal = await paired.editor.createTerminal({
    sessionId,
    command: 'sh',
    args: ['-c', `printf "%s|" "$@" "$WORD" "$(${pwd})"; exit 3`, 'sh', '$(id)', "it's", ''],
    env: [
      { name: 'WORD', value: 'overridden' },
      { name: 'WORD', value: 'a "value"' },
    ],
    cwd,
  });
  assert.match(terminal.id, /^bgb-[0-9a-f]{12}$/);
  assert.deepEqual(await terminal.waitForExit(), { exitCode: 3, signal: null });
  assert.deepEqual(await terminal.currentOutput(), {
    output: `$(id)|it's||a "value"|${asPrinted(cwd)}|`,
    truncated: false,
    exitStatus: { exitCode: 3, signal: null },
  });
});

test('a command without arguments is a shell command, and runs where the editor says', async () => {
  await using world = new World();
  const cwdOf = (id: string): string => (id === sessionId ? world.base : tmpdir());
  using paired = new Paired({ store: await world.store(), cwdOf });
  const terminal = await paired.editor.createTerminal({ sessionId, command: `${pwd} && exit 4` });
  assert.deepEqual(await terminal.waitForExit(), { exitCode: 4, signal: null });
  assert.equal((await terminal.currentOutput()).output, `${asPrinted(world.base)}\n`);
});

test('a terminal is a task of the session acp:ID, without a time limit unless the editor sets one', async () => {
  await using world = new World();
  const store = await world.store();
  using paired = new Paired({ store, spawn: { labels: { from: 'editor' } } });
  const terminal = await paired.editor.createTerminal({ sessionId, command: 'true', outputByteLimit: 9 });
  const { labels, timeoutMs, sessionId: session } = store.task(terminal.id).snapshot();
  assert.deepEqual(
    { labels, timeoutMs, session },
    {
      labels: { from: 'editor', 'acp.outputByteLimit': '9' },
      timeoutMs: null,
      session: 'acp:one',
    },
  );
  using other = new Paired({ store, spawn: { timeoutMs: 5_000 }, sessionOf: (id) => `agent/${id}` });
  const limited = await other.editor.createTerminal({ sessionId, command: 'true' });
  assert.equal(store.task(limited.id).snapshot().timeoutMs, 5_000);
  assert.equal(store.task(limited.id).snapshot().sessionId, 'agent/one');
});

test('a killed terminal keeps its id; its whole tree is gone when the answer comes', async () => {
  await using world = new World();
  using paired = new Paired({ store: await world.store(), spawn: { graceMs: 100 } });
  // Git for Windows has no setsid.
  const command = `${onWindows ? '' : 'setsid '}sleep 1000 & echo up; sleep 1000`;
  const terminal = await paired.editor.createTerminal({ sessionId, command });
  await waitFor(async () => (await terminal.currentOutput()).output === 'up\n', 'the output');
  assert.equal((await terminal.currentOutput()).exitStatus, undefined);
  const waiting = terminal.waitForExit();
  assert.deepEqual(await terminal.kill(), {});
  assert.deepEqual(world.commandPids(), []);
  assert.deepEqual(await waiting, whenKilled);
  assert.deepEqual((await terminal.currentOutput()).exitStatus, whenKilled);
  assert.deepEqual(await terminal.kill(), {});
});

test('releasing a running terminal stops it and makes the id invalid; the record stays', async () => {
  await using world = new World();
  const store = await world.store();
  using paired = new Paired({ store });
  const terminal = await paired.editor.createTerminal({ sessionId, command: 'echo up; exec sleep 1000' });
  await waitFor(async () => (await terminal.currentOutput()).output === 'up\n', 'the output');
  const waiting = terminal.waitForExit();
  assert.deepEqual(await terminal.release(), {});
  assert.deepEqual(world.commandPids(), []);
  assert.deepEqual(await waiting, whenKilled);
  const gone = { code: -32002, data: { code: 'TASK_NOT_FOUND' } };
  await assert.rejects(terminal.currentOutput(), gone);
  await assert.rejects(terminal.waitForExit(), gone);
  await assert.rejects(terminal.kill(), gone);
  await assert.rejects(terminal.release(), gone);
  assert.equal(store.task(terminal.id).snapshot().status, 'killed');
});
