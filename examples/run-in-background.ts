// A command runs in the background, and its completion comes to the session that asked for it.
import assert from 'node:assert/strict';
import './support/temporary-store.ts';
import { openStore } from 'outlive';

const store = await openStore();
const session = await store.session('conversation-42');
const task = await session.spawn('sleep 0.3; echo built; exit 3', { timeoutMs: 60_000 });

// ... the agent continues with other work ...

for await (const completion of session.completions()) {
  console.log(completion.taskId, completion.status, completion.exitCode, completion.output.preview);
  await completion.ack(); // until then it is pending, also to the next process that opens the session
  if (completion.taskId === task.id) break;
}
await store.close(); // running tasks continue

const { status, exitCode, output } = (await openStore()).task(task.id).snapshot();
assert.deepEqual([status, exitCode, output.preview], ['failed', 3, 'built\n']);
