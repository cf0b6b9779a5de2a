// A program that wants a terminal gets one: type into it, wait for what shows, look at the screen.
import assert from 'node:assert/strict';
import './support/temporary-store.ts';
import { openStore } from 'outlive';

await using store = await openStore();
const session = await store.session('conversation-42');
const repl = await session.spawn(['node', '-i'], {
  name: 'repl',
  tty: { cols: 80, rows: 24 },
  env: { NODE_REPL_HISTORY: '' },
});
await repl.waitFor({ screen: /^>/, timeoutMs: 30_000 });

await repl.send('const words = ["to", "be"]', { press: ['enter'] });
await repl.send('words.map((word) => word.length * 21)', { press: ['enter'] });
const { screen } = await repl.waitFor({ screen: /^\[ (\d+), (\d+) \]/, timeoutMs: 30_000 });
assert.deepEqual(screen?.groups, ['42', '42']);

// A key that is no character: Ctrl-C breaks a loop off, and the REPL lives on.
await repl.send('console.log(6 * 7); for (;;) {}', { press: ['enter'] });
await repl.waitFor({ screen: /^42/, timeoutMs: 30_000 });
await repl.send('', { press: ['ctrl-c'] });
await repl.waitFor({ screen: 'Script execution was interrupted', timeoutMs: 30_000 });
console.log((await repl.screen()).lines.join('\n').trim());

// The end of the input: Ctrl-D.
await repl.send('', { eof: true });
assert.equal((await repl.wait()).exitCode, 0);
