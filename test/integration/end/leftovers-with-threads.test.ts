import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../../support/world.ts';

test('a leftover with several threads is one leftover', async () => {
  await using world = new World();
  const session = await world.session();
  const up = `${world.base}/up`;
  const server = `"${process.execPath}" -e 'require("fs").writeFileSync("${up}", ""); setTimeout(() => {}, 1e6)'`;
  const task = await session.spawn(`${server} & until [ -e ${up} ]; do sleep 0.01; done`);
  const end = await task.wait();
  assert.deepEqual(
    end.leftovers.map(({ pid }) => pid),
    world.pidsOf(task.id),
  );
  assert.equal(end.leftovers.length, 1);
  assert.deepEqual((await task.kill({ graceMs: 0 })).leftovers, []);
});
