import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TerminalSpawnOptions } from '../../../src/acp/index.ts';
import { Paired } from '../../support/acp.ts';
import { World } from '../../support/world.ts';

const methods = ['output', 'wait_for_exit', 'kill', 'release'] as const;

test('unknown terminal ids are not found, and a request for one leaves no trace', async () => {
  await using world = new World();
  const store = await world.store();
  using paired = new Paired({ store });
  const terminal = await paired.editor.createTerminal({ sessionId: 'one', command: 'true' });
  await terminal.waitForExit();
  const task = await (await store.session('of-somebody-else')).spawn('true');
  await task.wait();
  const before = world.files();
  for (const [sessionId, terminalId] of [
    ['two', terminal.id],
    ['one', task.id],
    ['one', 'bgb-000000000000'],
    ['one', '../../store'],
    ['one', ''],
    ['', terminal.id],
  ] as const) {
    for (const method of methods) {
      await assert.rejects(
        paired.editor.request(`terminal/${method}` as string, { sessionId, terminalId }),
        { code: -32002, data: { code: 'TASK_NOT_FOUND' } },
        `${method} ${sessionId} ${terminalId}`,
      );
    }
  }
  assert.deepEqual(world.files(), before);
});

test('options that only one task can have are refused as defaults of all terminals', async () => {
  await using world = new World();
  const store = await world.store();
  for (const spawn of [{ name: 'dev' }, { key: 'k' }, { replace: true }])
    assert.throws(() => new Paired({ store, spawn: spawn as TerminalSpawnOptions }), {
      code: 'INVALID_ARGUMENT',
      message: new RegExp(`found "${Object.keys(spawn)}"`),
    });
});

test('a command that cannot run is refused as invalid before anything is spawned', async () => {
  await using world = new World();
  using paired = new Paired({ store: await world.store() });
  const request = { sessionId: 'one', command: 'true' };
  for (const [fault, code] of [
    [{ cwd: 'relative' }, 'INVALID_ARGUMENT'],
    [{ cwd: '/not/there' }, 'INVALID_CWD'],
    [{ command: '' }, 'INVALID_COMMAND'],
    [{ command: 'a\0b' }, 'INVALID_COMMAND'],
    [{ env: [{ name: 'A=B', value: '' }] }, 'INVALID_ENV'],
    [{ sessionId: 'x'.repeat(2_000) }, 'INVALID_ARGUMENT'],
  ] as const) {
    await assert.rejects(
      paired.editor.createTerminal({ ...request, ...fault } as typeof request),
      { code: -32602, data: { code } },
      JSON.stringify(fault).slice(0, 80),
    );
  }
  assert.deepEqual(world.taskIds(), []);
});
