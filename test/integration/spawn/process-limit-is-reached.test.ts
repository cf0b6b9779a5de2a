import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { World } from '../../support/world.ts';

/** A user of whom nothing else runs; the system counts his threads. */
const user = 54_321;

test('if the system starts no more processes, spawns are refused with a code or fail as tasks, until there is room', async () => {
  await using world = new World();
  chmodSync(world.base, 0o755);
  chownSync(world.base, user, user);
  // Node itself may be in the home of somebody else, into which that user cannot look.
  const execPath = join(world.base, 'node');
  copyFileSync(process.execPath, execPath);
  chmodSync(execPath, 0o755);
  const before = ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', 'prlimit', '--nproc=30'];
  await using agent = await Agent.start(world.dir, {
    before,
    execPath,
    env: { HOME: world.base },
  });
  const found = await agent.run(async ({ session, store, fs }) => {
    // Loaded while there is room.
    await session.run('true');
    const refused: string[] = [];
    for (let n = 0; n < 20; n += 1)
      await session.spawn('echo ran; sleep 300').catch((error: { code: string; message: string }) => {
        refused.push(`${error.code} ${error.message}`);
      });
    const look = async () =>
      (await session.tasks()).map((task) => ({
        status: task.status,
        reason: task.statusReason,
        output: fs.readFileSync(task.output.path, 'utf8'),
      }));
    // Each has run, or has ended because its shim could not start anything.
    let outputs = await look();
    while (outputs.some(({ status, output }) => output === '' && /^(starting|running)$/.test(status))) {
      await new Promise((next) => setImmediate(next));
      outputs = await look();
    }
    const logs = fs
      .readdirSync(store.dir, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.jsonl')).length;
    await session.shutdown({ graceMs: 100 });
    // A shim may need some milliseconds longer than its task.
    const tryAgain = async (): Promise<Awaited<ReturnType<typeof session.run>>> =>
      await session.run('exit 4').catch((error: { code: string }) => {
        if (error.code !== 'SPAWN_FAILED') throw error;
        return tryAgain();
      });
    return { refused, outputs, logs, last: (await tryAgain()).snapshot.exitCode };
  });
  const ran = found.outputs.filter(({ output }) => output === 'ran\n');
  assert.ok(ran.length > 0 && ran.length < 21, `${ran.length} have run`);
  // Of the others nothing has run, and they do not say that they did well; the first was there to load all.
  const rest = found.outputs.filter(({ status, output }) => output === '' && status !== 'completed');
  assert.equal(ran.length + rest.length + 1, found.outputs.length);
  for (const { status, reason } of rest) assert.deepEqual([status, reason], ['failed', 'spawn_aborted']);
  for (const message of found.refused) assert.match(message, /^SPAWN_FAILED .*limits on processes/);
  assert.equal(found.outputs.length + found.refused.length, 21);
  assert.deepEqual([found.logs, found.last], [found.outputs.length, 4]);
});
