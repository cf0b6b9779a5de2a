import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onWindows } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

test('every exit code from 0 to 255 is recorded correctly', async () => {
  await using world = new World();
  const session = await world.session('codes', { maxRunning: 256 });
  // Wine takes half a second for each: there some of them, the first and the last included.
  const codes = Array.from({ length: 256 }, (_, code) => code).filter(
    (code) => !onWindows || code % 17 === 0,
  );
  const ends = await Promise.all(
    codes.map(async (code) => await (await session.spawn(`exit ${code}`, { shell: 'sh' })).wait()),
  );
  assert.deepEqual(
    ends.map((end) => end.exitCode),
    codes,
  );
  assert.deepEqual(
    ends.map((end) => end.status),
    codes.map((code) => (code === 0 ? 'completed' : 'failed')),
  );
  assert.ok(ends.every((end) => end.output.bytes === 0 && end.exitSignal === null));
});
