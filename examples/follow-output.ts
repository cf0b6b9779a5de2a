// follow() yields the output as it grows and ends with the task; read() takes up at any byte.
import assert from 'node:assert/strict';
import './support/temporary-store.ts';
import { openStore } from 'outlive';

await using store = await openStore();
const session = await store.session('conversation-42');
const task = await session.spawn('for i in 1 2 3; do echo "step $i"; sleep 0.1; done', { timeoutMs: 30_000 });

let text = '';
for await (const chunk of task.follow()) {
  process.stdout.write(chunk.text);
  text += chunk.text;
}
assert.equal(text, 'step 1\nstep 2\nstep 3\n');

const second = await task.read({ offset: 'step 1\n'.length, maxBytes: 'step 2\n'.length });
assert.equal(second.text, 'step 2\n');
assert.equal(second.more, true);
const end = await task.tail({ maxBytes: 7 });
assert.deepEqual([end.text, end.omittedBytes, end.more], ['step 3\n', 14, false]);
