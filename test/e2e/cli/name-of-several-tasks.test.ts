import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutliveError, type Session } from '../../../src/index.ts';
import { CommandLine, objects } from '../../support/command-line.ts';
import { McpProcess } from '../../support/mcp-process.ts';

test('the library, the command line and the MCP server refuse an ambiguous reference with the same code', async () => {
  await using cli = new CommandLine();
  await using server = await McpProcess.start(cli, { session: 'default' });
  const session = await cli.session('default');
  const store = await cli.store();
  // Of 17 tasks two share their first digit.
  for (let count = 0; count < 17; count += 1) await session.spawn('true');
  const digits = cli.taskIds().map((id) => id.slice(0, 5));
  const shared = digits.find((digit, index) => digits.indexOf(digit) < index) ?? '';
  const meant = cli.taskIds().filter((id) => id.startsWith(shared));
  const reference = shared;
  const namesAll = (text: string): void =>
    assert.ok(
      meant.every((id) => text.includes(id)),
      text,
    );
  for (const find of [() => store.find(reference, 'default'), () => session.find(reference)]) {
    assert.throws(find, (error: unknown) => {
      assert.ok(error instanceof OutliveError && error.code === 'TASK_AMBIGUOUS');
      assert.deepEqual([...(error.details.taskIds as string[])].sort(), [...meant].sort());
      namesAll(error.message);
      return true;
    });
  }
  for (const verb of ['show', 'logs', 'wait', 'kill']) {
    const { status, stdout, stderr } = await cli.run(verb, '--json', reference);
    assert.deepEqual({ status, stdout }, { status: 64, stdout: '' });
    assert.equal(objects(stderr)[0]?.error.code, 'TASK_AMBIGUOUS');
    namesAll(stderr);
  }
  const { status, stderr } = await cli.run('run', '--json', '--after', reference, 'true');
  assert.deepEqual([status, objects(stderr)[0]?.error.code], [64, 'TASK_AMBIGUOUS']);
  for (const tool of ['output', 'wait', 'kill']) {
    const { isError, content } = await server.call(tool, { task: reference });
    const text = content[0]?.text ?? '';
    assert.ok(isError && text.startsWith('TASK_AMBIGUOUS: '), text);
    namesAll(text);
  }
});

test('a reference that tasks of two other sessions share, an id beginning or a name, is refused with that code, too', async () => {
  await using cli = new CommandLine();
  const [one, other] = [await cli.session('one'), await cli.session('other')];
  const store = await cli.store();
  const shared = await sharedBeginning(one, other);
  const named = [
    await one.spawn('sleep 1000', { name: 'dup' }),
    await other.spawn('sleep 1000', { name: 'dup' }),
  ];
  for (const [reference, meant] of [
    ['dup', named.map(({ id }) => id)],
    [shared, cli.taskIds().filter((id) => id.startsWith(shared))],
  ] as const) {
    const advice = reference === 'dup' ? /name the whole id, or the session too\.$/ : /Name the whole id\.$/;
    assert.throws(() => store.find(reference, 'third'), { code: 'TASK_AMBIGUOUS', message: advice });
    for (const verb of ['show', 'logs', 'wait', 'kill', 'restart']) {
      const { status, stderr } = await cli.run(verb, '--json', '--session', 'third', reference);
      assert.deepEqual([status, objects(stderr)[0]?.error.code], [64, 'TASK_AMBIGUOUS']);
      assert.ok(
        meant.every((id) => stderr.includes(id)),
        stderr,
      );
    }
  }
  assert.deepEqual(
    named.map((task) => task.snapshot().endedAt),
    [null, null],
  );
});

/** Spawns until the ids of two tasks, one of each session, begin alike. */
async function sharedBeginning(one: Session, other: Session): Promise<string> {
  const mine = (await one.spawn('true')).id.slice(0, 5);
  for (;;) {
    const { id } = await other.spawn('true');
    if (id.startsWith(mine)) return mine;
  }
}
