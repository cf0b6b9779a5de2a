import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { factOf } from '../support/logs.ts';
import { type ShimShell, shimShells, withoutProc } from '../support/shim-shells.ts';
import { World } from '../support/world.ts';
import { zombiesOf } from '../support/zombies.ts';

for (const [name, shimShell] of Object.entries(shimShells)) {
  test(`under ${name} the shim records exit codes, adds no output and leaves no process`, async () => {
    await ends(shimShell);
  });
  test(`so it does under ${name} where there is no /proc`, async () => {
    await ends(withoutProc(shimShell), true);
  });
  test(`under ${name} the command gets a bare child's descriptors and signals`, async () => {
    await using world = new World();
    const session = await world.session('test', { store: { shimShell } });
    const look = 'ls /proc/self/fd; grep -E "^Sig(Ign|Blk)" /proc/self/status';
    const bare = spawnSync('bash', ['-c', look], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    // The lifeline is there from the second spawn on, or a little later.
    for (let spawn = 0; spawn < 3; spawn += 1) {
      assert.equal((await session.run(look)).output.text, bare.stdout);
    }
  });
}

async function ends(shimShell: ShimShell, hasNoProc = false): Promise<void> {
  await using world = new World();
  const session = await world.session('test', { store: { shimShell } });
  const commands: [string, number, string][] = [
    ['true', 0, ''],
    ['echo out; echo err >&2; exit 7', 7, 'out\nerr\n'],
    ['kill -9 $$', 137, ''],
    ['kill -SEGV $$', 139, ''],
    ['nowhere', 127, 'bash: line 1: nowhere: command not found\n'],
  ];
  for (const [command, exitCode, text] of commands) {
    for (const timeoutMs of [60_000, null]) {
      const { snapshot, task, output } = await session.run(command, { timeoutMs });
      assert.equal(snapshot.exitCode, exitCode);
      assert.equal(output.text, text);
      assert.deepEqual(snapshot.leftovers, []);
      const started = factOf(world.logOf(task.id), 'started');
      assert.equal(started.start === null, hasNoProc);
      assert.equal(factOf(world.logOf(task.id), 'exit').code, exitCode);
      assert.deepEqual(world.pidsOf(task.id, started.pid), []);
      assert.deepEqual(zombiesOf(started.pid), []);
    }
  }
}
