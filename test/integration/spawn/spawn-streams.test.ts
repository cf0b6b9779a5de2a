import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../../support/world.ts';

const alternating = 'for i in 1 2 3 4 5; do echo out$i; echo err$i >&2; done';

test('stdout and stderr are merged in the order written', async () => {
  await using world = new World();
  const session = await world.session();
  const { output, snapshot } = await session.run(alternating);
  assert.equal(output.text, 'out1\nerr1\nout2\nerr2\nout3\nerr3\nout4\nerr4\nout5\nerr5\n');
  assert.equal(snapshot.output.stderrPath, null);
});

test('separate streams have their own files, and both count', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(alternating, { separate: true });
  const end = await task.wait();
  assert.equal((await task.read()).text, 'out1\nout2\nout3\nout4\nout5\n');
  assert.equal((await task.tail({ stream: 'stderr', maxBytes: 10 })).text, 'err4\nerr5\n');
  assert.equal((await task.read({ stream: 'stderr' })).text, 'err1\nerr2\nerr3\nerr4\nerr5\n');
  assert.equal(end.output.bytes, 50);
  assert.ok(end.output.stderrPath !== null);
});

test('a flood on stderr does not hide stdout', async () => {
  await using world = new World();
  const session = await world.session();
  const flood = 'echo first; head -c 300000 /dev/zero | tr "\\0" x >&2; echo last';
  const merged = await session.spawn(flood);
  const apart = await session.spawn(flood, { separate: true });
  await merged.wait();
  await apart.wait();
  assert.equal((await merged.read({ maxBytes: 6 })).text, 'first\n');
  assert.equal((await merged.tail({ maxBytes: 7 })).text, 'xxlast\n');
  assert.equal((await apart.tail()).text, 'first\nlast\n');
  assert.equal((await apart.read({ stream: 'stderr' })).size, 300_000);
});
