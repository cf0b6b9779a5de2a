import assert from 'node:assert/strict';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { allMarks, leaveMark, markPrefix, marksIn } from '../../../src/engine/session/process-marks.ts';
import { currentSystem } from '../../../src/platform/current.ts';
import { World } from '../../support/world.ts';

test('a mark stands for a live process here, for one elsewhere if it was touched recently, or for a dead one', async () => {
  await using world = new World();
  const dir = world.base;
  const system = await currentSystem();
  const { pid, start } = system.self();
  const prefix = markPrefix(dir, 'open', system.self());
  const ours = `${prefix}${start ?? 0}-${pid}`;
  leaveMark(ours);
  leaveMark(ours);
  const reused = `${prefix}${(start ?? 0) + 1}-${pid}`;
  const [fresh, old] = ['a', 'b'].map((digit) => join(dir, `open-${digit.repeat(16)}-123-1`)) as [
    string,
    string,
  ];
  for (const path of [reused, fresh, old, markPrefix(dir, 'keeper', system.self())]) writeFileSync(path, '');
  for (const name of ['open-', 'open-x-1-1', `open-${'a'.repeat(16)}-1-1.tmp`])
    writeFileSync(join(dir, name), '');
  utimesSync(old, 0, 0);
  const before = readdirSync(dir).sort();
  const { living, elsewhere, dead } = marksIn(dir, 'open', system);
  assert.deepEqual(living, [{ pid, start: start ?? 0 }]);
  assert.equal(elsewhere, 1);
  assert.deepEqual([...dead].sort(), [reused, old].sort());
  assert.deepEqual(allMarks(dir, 'open').sort(), [ours, reused, fresh, old].sort());
  assert.deepEqual(readdirSync(dir).sort(), before, 'to look changes nothing');
  assert.match(basename(ours), /^open-[0-9a-f]{16}-\d+-\d+$/);
});
