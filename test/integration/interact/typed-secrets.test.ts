import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { factsOf } from '../../support/logs.ts';
import { isInMemory } from '../../support/memory.ts';
import { livePids } from '../../support/processes.ts';
import { untilPrinted } from '../../support/ready.ts';
import { World } from '../../support/world.ts';

const tty = { cols: 90, rows: 20 };

test('typed input is not in the store, in /proc, or in the memory of the shim', async () => {
  await using world = new World();
  const session = await world.session();
  const secret = 'open-sesame-which-nobody-else-says';
  const command =
    'stty -echo; echo ready; read -r word; expr length "$word"; word=; echo done; exec sleep 300';
  const task = await session.spawn(command, { tty });
  await untilPrinted(task);
  await task.send(`${secret}\n`);
  await untilPrinted(task, 'done');
  assert.match((await task.read()).text, new RegExp(`^${secret.length}\\r$`, 'm'));
  assert.doesNotMatch(JSON.stringify(factsOf(world.logOf(task.id))), /sesame/);
  const found = spawnSync('grep', ['-rl', '--devices=skip', secret, world.dir], { encoding: 'utf8' });
  assert.equal(found.stdout, '');
  for (const pid of livePids().filter((pid) => pid !== process.pid))
    for (const file of ['cmdline', 'environ'])
      assert.doesNotMatch(contentOf(`/proc/${pid}/${file}`), /sesame/);
  const { shimPid, pid } = task.snapshot();
  assert.equal(isInMemory(shimPid ?? 0, secret), false);
  assert.equal(isInMemory(shimPid ?? 0, task.id), true, 'the search finds what is there');
  assert.notEqual(pid, null);
  await task.kill({ graceMs: 0 });
});

/** What a file of /proc says, of a process that may be gone. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
