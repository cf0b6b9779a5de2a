// At a password prompt the agent hands over. A person attaches, types it, leaves, and the agent goes on. Nothing that the
// person types is recorded.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import './support/temporary-store.ts';
import { openStore } from 'outlive';

await using store = await openStore();
const session = await store.session('conversation-42');
const login = `stty -echo; printf 'Password: '; read -r word; stty echo; echo
  test "$word" = open-sesame && echo 'Welcome.' && printf 'Command: ' && read -r command && echo "done: $command"`;
const task = await session.spawn(login, { name: 'login', tty: { cols: 80, rows: 24 } });

const { input } = await task.waitFor({ input: true, timeoutMs: 30_000 });
assert.deepEqual(input, { kind: 'password', how: 'certain' });
console.log('the agent tells the person: outlive attach login');

// The person, in another process: `outlive attach` does this with process.stdin in raw mode and process.stdout.
const keyboard = new PassThrough();
const display = new PassThrough();
let shown = '';
display.on('data', (bytes) => {
  shown += String(bytes);
});
const attached = task.attach({ input: keyboard, output: display });
const shows = async (text: string): Promise<void> => {
  while (!shown.includes(text)) await new Promise((resolve) => setTimeout(resolve, 10));
};
await shows('Password:');
keyboard.write('open-sesame\r');
await shows('Command:');
// Ctrl-\ and d: the person gives the terminal back.
keyboard.write('\x1cd');
assert.equal(await attached, 'left');

await task.send('status', { press: ['enter'] });
assert.equal((await task.wait()).exitCode, 0);
console.log((await task.screen()).lines.join('\n').trim());

assert.match(shown, /Welcome\./);
const output = readFileSync(task.snapshot().output.path, 'utf8');
assert.match(output, /done: status/);
assert.doesNotMatch(output, /open-sesame/);
