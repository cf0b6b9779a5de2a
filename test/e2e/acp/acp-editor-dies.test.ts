import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { EditorProcess } from '../../support/acp.ts';
import { World, waitFor } from '../../support/world.ts';

test('a terminal outlives its editor: the next editor finds it by the same id, with its limit, output and end', async () => {
  await using world = new World();
  const go = `${world.base}/go`;
  const params = { sessionId: 'one' };
  const first = new EditorProcess(world);
  const { id: terminalId } = await first.editor.createTerminal({
    ...params,
    command: `echo 123456; until test -e ${go}; do sleep 0.01; done; echo 7; exit 3`,
    outputByteLimit: 4,
  });
  const answered = first.editor
    .request('terminal/wait_for_exit', { ...params, terminalId })
    .catch(() => 'nobody is there');
  await first.kill();
  assert.equal(await answered, 'nobody is there');

  await using second = new EditorProcess(world);
  const output = () => second.editor.request('terminal/output', { ...params, terminalId });
  assert.deepEqual(await output(), { output: '456\n', truncated: true });
  assert.equal(existsSync(go), false);
  writeFileSync(go, '');
  const exitStatus = { exitCode: 3, signal: null };
  assert.deepEqual(
    await second.editor.request('terminal/wait_for_exit', { ...params, terminalId }),
    exitStatus,
  );
  assert.deepEqual(await output(), { output: '6\n7\n', truncated: true, exitStatus });
});

test('the next editor is told of the end of a terminal that ended while there was no editor', async () => {
  await using world = new World();
  const first = new EditorProcess(world);
  const { id: terminalId } = await first.editor.createTerminal({
    sessionId: 'one',
    command: 'echo done; exit 5',
  });
  await first.kill();
  const store = await world.store();
  const session = await store.session('acp:one');
  await waitFor(async () => (await session.pending()).length === 1, 'the completion to be pending');

  await using second = new EditorProcess(world);
  assert.deepEqual(await second.editor.request('terminal/output', { sessionId: 'one', terminalId }), {
    output: 'done\n',
    truncated: false,
    exitStatus: { exitCode: 5, signal: null },
  });
  assert.equal(store.task(terminalId).snapshot().delivered, true);
});
