// run() waits for a while; what takes longer goes on in the background.
import assert from 'node:assert/strict';
import './support/temporary-store.ts';
import { openStore } from 'outlive';

await using store = await openStore();
const session = await store.session('conversation-42');

const quick = await session.run('echo quick', { waitMs: 10_000 });
assert.equal(quick.ended, true);
assert.equal(quick.output.text, 'quick\n');
assert.deepEqual(await session.pending(), []); // the caller has the result, so nobody is told again

const slow = await session.run('echo begun; sleep 1; echo done', { waitMs: 50, timeoutMs: 30_000 });
assert.equal(slow.ended, false);
assert.equal(slow.snapshot.status, 'running');
const { exitCode, output } = await slow.task.wait();
assert.deepEqual([exitCode, output.preview], [0, 'begun\ndone\n']);
console.log('quick in the foreground, slow in the background');
