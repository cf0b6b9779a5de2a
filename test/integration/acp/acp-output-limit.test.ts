import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Paired } from '../../support/acp.ts';
import { World, waitFor } from '../../support/world.ts';

test('output over its limit is cut from the start, at a character, and never longer than the limit', async () => {
  await using world = new World();
  using paired = new Paired({ store: await world.store() });
  const text = 'aé€😀z';
  const size = Buffer.byteLength(text);
  const kept: Record<number, string> = {};
  await Promise.all(
    Array.from({ length: size + 2 }, async (_, limit) => {
      const terminal = await paired.editor.createTerminal({
        sessionId: 'one',
        command: 'printf',
        args: ['%s', text],
        outputByteLimit: limit,
      });
      await terminal.waitForExit();
      const { output, truncated } = await terminal.currentOutput();
      assert.equal(truncated, limit < size, `limit ${limit}`);
      kept[limit] = output;
    }),
  );
  const z = 'z';
  const face = '😀z';
  const euro = '€😀z';
  const accent = 'é€😀z';
  const expected = ['', z, z, z, z, face, face, face, euro, euro, accent, text, text];
  assert.deepEqual(Object.values(kept), expected);
});

test('bytes that are not text do not make an answer longer than its limit', async () => {
  await using world = new World();
  using paired = new Paired({ store: await world.store() });
  const terminal = await paired.editor.createTerminal({
    sessionId: 'one',
    command: String.raw`printf '\377\377\377\377\377\377'`,
    outputByteLimit: 7,
  });
  await terminal.waitForExit();
  const { output, truncated } = await terminal.currentOutput();
  assert.deepEqual([output, truncated], ['\uFFFD\uFFFD', true]);
});

test('an editor limits the size of an answer, whatever the agent asks for', async () => {
  await using world = new World();
  using paired = new Paired({ store: await world.store(), maxOutputBytes: 4 });
  for (const outputByteLimit of [null, 1_000_000]) {
    const request = { sessionId: 'one', command: 'printf 123456', outputByteLimit };
    const terminal = await paired.editor.createTerminal(request);
    await terminal.waitForExit();
    assert.equal((await terminal.currentOutput()).output, '3456');
  }
});

test('for an output whose middle was cut out, the end is shown, as truncated', async () => {
  await using world = new World();
  using paired = new Paired({ store: await world.store(), spawn: { keepOutputBytes: 1_000 } });
  const terminal = await paired.editor.createTerminal({ sessionId: 'one', command: 'seq 100000' });
  await terminal.waitForExit();
  await waitFor(async () => (await terminal.currentOutput()).truncated, 'the cut');
  const { output } = await terminal.currentOutput();
  assert.match(output, /\n99999\n100000\n$/);
  assert.ok(output.length < 1_000, `${output.length} bytes`);
  // The record says it a moment before the shorter file takes its place.
  await waitFor(() => !world.files().some((path) => path.endsWith('.cut')), 'the shorter file');
});
