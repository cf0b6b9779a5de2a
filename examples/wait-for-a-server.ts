// waitFor() ends with whichever comes first: a line, a port, silence, the end. A server that fails is told at once,
// not when the time is up.
import assert from 'node:assert/strict';
import './support/temporary-store.ts';
import { openStore } from 'outlive';

await using store = await openStore();
const session = await store.session('conversation-42');
const program = "require('net').createServer().listen(0, '127.0.0.1', () => console.log('ready to serve'))";
const server = await session.spawn(`"${process.execPath}" -e "${program}"`);

const { match } = await server.waitFor({ pattern: /ready to (\w+)/, timeoutMs: 30_000 });
assert.deepEqual([match?.line, match?.groups], ['ready to serve', ['serve']]);
const { port } = await server.waitFor({ port: true, timeoutMs: 30_000 });
console.log(`listening at ${port?.address}, port ${port?.port}`);

const broken = await session.spawn('echo "cannot bind" >&2; exit 1');
const { cause, snapshot } = await broken.waitFor({ pattern: 'ready', timeoutMs: 30_000 });
assert.deepEqual([cause, snapshot.exitCode, snapshot.output.preview], ['exit', 1, 'cannot bind\n']);
console.log(`the other one ended with ${snapshot.exitCode}: ${snapshot.output.preview.trim()}`);

await server.kill({ graceMs: 500 });
