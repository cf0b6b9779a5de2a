import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onWindows } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

// The shim's shell, too, would say "Killed" or "Segmentation fault"; only the command's own output counts.
// The runtime of git-bash makes another code of a signal.
const deaths = [
  { name: 'KILL', exitCode: onWindows ? 9 << 8 : 137 },
  // Of this one the runtime of git-bash prints a line of its own.
  ...(onWindows ? [] : [{ name: 'SEGV', exitCode: 139 }]),
  { name: 'TERM', exitCode: onWindows ? 15 << 8 : 143 },
  { name: 'INT', exitCode: onWindows ? 2 << 8 : 130 },
];

for (const { name, exitCode } of deaths) {
  test(`a command that dies of SIG${name} fails with ${exitCode}, and nothing is added to its output`, async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn(`echo before; kill -${name} $$; echo survived`);
    const end = await task.wait();
    assert.equal(end.status, 'failed');
    assert.equal(end.exitCode, exitCode);
    assert.equal((await task.read()).text, 'before\n');
  });
}
