import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { agent, client, type SessionUpdate } from '@agentclientprotocol/sdk/experimental/v2';
import { terminalUpdates } from '../../../src/acp/index.ts';
import { World, waitFor } from '../../support/world.ts';

/** What an editor of ACP 2 makes of the updates of one terminal. */
class Screen {
  bytes = Buffer.alloc(0);
  chunks: Buffer[] = [];
  last: Record<string, unknown> = {};

  take(update: SessionUpdate): void {
    if (update.sessionUpdate === 'terminal_output_chunk') {
      const bytes = Buffer.from((update as { data: string }).data, 'base64');
      this.chunks.push(bytes);
      this.bytes = Buffer.concat([this.bytes, bytes]);
    } else if (update.sessionUpdate === 'terminal_update') {
      const { output, ...rest } = update as { output?: { data: string } };
      if (output !== undefined) this.bytes = Buffer.from(output.data, 'base64');
      this.last = { ...this.last, ...rest };
    }
  }
}

test('over ACP 2 the snapshot and the chunks together are the bytes of the output, and the end comes last', async () => {
  await using world = new World();
  const go = `${world.base}/go`;
  mkdirSync(go);
  const session = await world.session();
  const step = (name: string) => `; while test -e ${go}; do sleep 0.01; done; mkdir ${go}; printf '${name}'`;
  // Characters in two halves, and bytes that are none.
  const command =
    String.raw`printf 'one \342\202'` + step(String.raw`\254 two \360`) + step(String.raw`\237\230\200 \377`);
  const task = await session.spawn(`${command}; exit 3`);
  await waitFor(() => task.snapshot().output.bytes === 6, 'the first bytes');

  const screen = new Screen();
  const editor = client().onNotification('session/update', ({ params }) => screen.take(params.update));
  const info = { name: 'test', version: '1' };
  const agentApp = agent().onRequest('initialize', () => ({ protocolVersion: 2, info }));
  agentApp.onRequest('session/new', async ({ client: shownBy }) => {
    for await (const update of terminalUpdates(task, { terminalId: 'the-terminal' })) {
      await shownBy.notify('session/update', { sessionId: 's', update });
    }
    return { sessionId: 's' };
  });
  const connection = editor.connect(agentApp);
  await connection.agent.request('initialize', { protocolVersion: 2, info });
  const shown = connection.agent.request('session/new', { cwd: '/', mcpServers: [] });
  await waitFor(() => screen.bytes.length === 4, 'the snapshot');
  assert.deepEqual(screen.last, {
    sessionUpdate: 'terminal_update',
    terminalId: 'the-terminal',
    command: `${command}; exit 3`,
    cwd: process.cwd(),
    exitStatus: null,
  });
  rmSync(go, { recursive: true });
  await waitFor(() => screen.bytes.includes('two'), 'a chunk');
  rmSync(go, { recursive: true });
  await shown;
  await waitFor(() => screen.last.exitStatus !== null, 'the exit status');
  connection.close();
  assert.deepEqual(screen.last.exitStatus, { exitCode: 3, signal: null });
  assert.deepEqual(screen.bytes, (await task.read()).bytes);
  assert.equal(screen.bytes.toString('latin1').length, 18);
  assert.ok(screen.chunks.length >= 2, `${screen.chunks.length} chunks`);
  assert.deepEqual(await session.pending().then((pending) => pending.map(({ taskId }) => taskId)), [task.id]);
});

test('the snapshot of a long output is its last part; for an ended task, the snapshot and the end come at once', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('printf aé€😀z');
  await task.wait();
  const updates: unknown[] = [];
  for await (const update of terminalUpdates(task, { snapshotBytes: 6 })) updates.push(update);
  const data = Buffer.from('😀z').toString('base64');
  const update = { sessionUpdate: 'terminal_update', terminalId: task.id };
  assert.deepEqual(updates, [
    { ...update, command: 'printf aé€😀z', cwd: process.cwd(), output: { data }, exitStatus: null },
    { ...update, exitStatus: { exitCode: 0, signal: null } },
  ]);
});

test('when the updates are aborted, they end without an exit status, and the task goes on', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('exec sleep 1000');
  const controller = new AbortController();
  const updates = terminalUpdates(task, { abortSignal: controller.signal });
  await updates.next();
  const rest = updates.next();
  controller.abort();
  assert.deepEqual(await rest, { value: undefined, done: true });
  assert.equal(task.snapshot().endedAt, null);
  await task.kill();
});
