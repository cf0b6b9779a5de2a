// kill() ends everything that a command has started, also what ignores SIGTERM, and says so only when it is gone.
import assert from 'node:assert/strict';
import './support/temporary-store.ts';
import { openStore } from 'outlive';
import { liveProcesses } from './support/processes.ts';

await using store = await openStore();
const session = await store.session('conversation-42');
const task = await session.spawn('trap "" TERM; sleep 30 & sleep 30 & echo ready; wait', {
  timeoutMs: 20_000,
});
for await (const { text } of task.follow()) if (text.includes('ready')) break;

const ofTheTask = () => liveProcesses().filter(({ group }) => group === task.snapshot().pid);
assert.ok(ofTheTask().length >= 3);
const { status, leftovers } = await task.kill({ graceMs: 200 });
assert.equal(status, 'killed');
assert.deepEqual(leftovers, []);
assert.deepEqual(ofTheTask(), []);
console.log('the whole tree is gone');
