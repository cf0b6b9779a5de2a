import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LogLines } from '../../../src/cli/top/log-lines.ts';
import { searchOutput, wantedOf } from '../../../src/cli/top/search.ts';
import { World } from '../../support/world.ts';

const command = `seq -f '%g of a line that is as long as lines mostly are, or so' 1 9000; printf '%40000s' x; echo; seq 1 500; printf open`;

test('whatever part around a place is read, the lines are those of the output', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run(command);
  const whole = readFileSync(task.snapshot().output.path);
  const lines = new LogLines(task, 'stdout');
  const check = (): void => {
    for (const [index, { offset, text }] of lines.all.entries()) {
      const end = lines.all[index + 1]?.offset ?? lines.end;
      assert.equal(text, whole.subarray(offset, end).toString().replace(/\n$/, ''));
    }
  };
  await lines.toEnd();
  assert.deepEqual([lines.isAtEnd, lines.all.at(-1)?.text], [true, 'open']);
  check();
  // To the beginning, and back to the end: what is far away is let go.
  while (await lines.before()) {
    check();
    assert.ok(lines.end - (lines.all[0]?.offset ?? 0) <= 350_000);
  }
  assert.equal(lines.all[0]?.offset, 0);
  while (await lines.after()) check();
  assert.equal(lines.all.at(-1)?.text, 'open');
  await lines.to(300_000);
  check();
  assert.ok(lines.all.some(({ offset }) => offset > 299_900 && offset < 300_000));
});

test('a search finds each line, forwards and backwards, and begins again at the other end', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run(command);
  const whole = readFileSync(task.snapshot().output.path, 'latin1');
  const find = async (typed: string, from: number, isBackwards: boolean) =>
    await searchOutput(task, await wantedOf(typed), {
      stream: 'stdout',
      from,
      isBackwards,
      abortSignal: AbortSignal.timeout(60_000),
      reached: () => undefined,
    });
  for (const typed of ['4242 of a', '^4242 .*mostly']) {
    const offset = whole.indexOf('\n4242 of') + 1;
    assert.deepEqual(await find(typed, 0, false), { offset, isAround: false });
    assert.deepEqual(await find(typed, offset, false), { offset, isAround: false });
    assert.deepEqual(await find(typed, offset + 1, false), { offset, isAround: true });
    assert.deepEqual(await find(typed, whole.length, true), { offset, isAround: false });
    assert.deepEqual(await find(typed, offset, true), { offset, isAround: true });
  }
  assert.deepEqual(await find('open', 0, false), { offset: whole.lastIndexOf('open'), isAround: false });
  assert.equal(await find('nowhere at all', 0, false), null);
});
