// An agent dies while its command runs. The next process that opens the session is told how the command ended.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import './support/temporary-store.ts';
import { openStore } from 'outlive';

const agent = spawnSync(process.execPath, [join(import.meta.dirname, 'support/dies-while-it-runs.js')]);
assert.equal(agent.signal, 'SIGKILL');

await using store = await openStore();
const session = await store.session('conversation-42'); // adopts what the agent left
for await (const completion of session.completions()) {
  console.log(completion.name, completion.status, completion.exitCode);
  assert.deepEqual([completion.name, completion.status, completion.exitCode], ['tests', 'failed', 5]);
  assert.equal(completion.output.preview, 'tested\n');
  assert.equal(await completion.ack(), true);
  break;
}
assert.deepEqual(await session.pending(), []);
