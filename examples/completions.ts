// A completion is delivered again, to whoever opens the session next, until somebody acknowledges it.
import assert from 'node:assert/strict';
import './support/temporary-store.ts';
import { openStore } from 'outlive';

{
  await using store = await openStore();
  const session = await store.session('conversation-42');
  await session.spawn('echo done', { timeoutMs: 30_000 });
  for await (const completion of session.completions()) {
    assert.equal(completion.exitCode, 0);
    break; // not acknowledged, as if the agent had crashed before it could use the result
  }
}
{
  await using store = await openStore();
  const session = await store.session('conversation-42');
  const [completion] = await session.pending();
  assert.equal(completion?.output.preview, 'done\n');
  assert.equal(await completion.ack(), true);
  assert.equal(await completion.ack(), false); // only the first one counts, in whichever process
  console.log('delivered twice, acknowledged once');
}
{
  await using store = await openStore();
  const session = await store.session('conversation-42');
  assert.deepEqual(await session.takePending(), []);
}
