// An installer asks, an agent answers. Each question is waited for, since what is typed too early may be lost.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import './support/temporary-store.ts';
import { openStore } from 'outlive';

const folder = mkdtempSync(join(tmpdir(), 'outlive-example-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

await using store = await openStore();
const session = await store.session('conversation-42');
const init = await session.spawn('npm init', {
  cwd: folder,
  tty: { cols: 80, rows: 24 },
  // npm is to ask nobody but us.
  env: { npm_config_update_notifier: 'false' },
});

const answers: [question: string, answer: string][] = [
  ['package name:', 'answered'],
  ['version:', '2.0.0'],
  ['description:', 'Written by an agent'],
];
for (const [question, answer] of answers) {
  await init.waitFor({ screen: question, timeoutMs: 60_000 });
  await init.send(answer, { press: ['enter'] });
}

// npm asks for more. While it waits for input, Enter takes what it proposes.
for (;;) {
  const { cause } = await init.waitFor({ input: true, timeoutMs: 60_000 });
  if (cause !== 'input') break;
  await init.send('', { press: ['enter'] });
}
assert.equal((await init.wait()).exitCode, 0);

const { name, version, description } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
console.log({ name, version, description });
assert.deepEqual([name, version, description], ['answered', '2.0.0', 'Written by an agent']);
