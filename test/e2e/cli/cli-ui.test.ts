import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { meet } from '../../support/ui.ts';

/** An answer, read to its end and on a connection of its own, so that no socket is left. */
async function get(url: string | URL): Promise<{ status: number; text: string }> {
  const answer = await fetch(url, { headers: { connection: 'close' } });
  return { status: answer.status, text: await answer.text() };
}

test('ui prints an address with its own token, serves the page there, and ends at Ctrl-C', async () => {
  await using cli = new CommandLine();
  const server = cli.start(['ui']);
  await server.says(/Ctrl-C stops it/);
  const { stdout } = server;
  assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{43}\n$/);
  assert.match((await get(stdout.trim())).text, /<title>outlive<\/title>/);
  for (const file of ['page.js', 'page.css', 'terminal.js', 'terminal.css', 'icon.svg'])
    assert.equal((await get(new URL(file, stdout.trim()))).status, 200, file);
  const token = stdout.trim().split('#token=')[1] ?? '';
  assert.equal((await meet(stdout.trim(), token)).isProven, true);
  assert.equal((await meet(stdout.trim(), 'x')).isProven, false);
  await server.waits();
  assert.equal((await server.interrupted()).status, 0);
});

test('ui with a token file does not print the token, and --json is one object', async () => {
  await using cli = new CommandLine();
  const file = `${cli.base}/token`;
  writeFileSync(file, 'a-token-of-this-test\n', { mode: 0o600 });
  const server = cli.start(['ui', '--json', '--token-file', file, '--read-only']);
  await server.says(/token of the file/);
  const { url } = JSON.parse(server.stdout);
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.doesNotMatch(server.stdout + server.stderr, /a-token-of-this-test/);
  assert.equal((await meet(url, 'a-token-of-this-test')).isProven, true);
  await server.waits();
  assert.equal((await server.interrupted()).status, 0);
});

test('ui ends by itself when no page has been open for --idle', async () => {
  await using cli = new CommandLine();
  const { status, stdout } = await cli.run('ui', '--idle', '0.2s', '--no-open');
  assert.equal(status, 0);
  assert.match(stdout, /#token=/);
});

test('ui refuses options that would open it to others, and a port that is in use', async () => {
  await using cli = new CommandLine();
  const open = await cli.run('ui', '--host', '0.0.0.0');
  assert.equal(open.status, 64);
  assert.match(open.stderr, /--token-file/);
  assert.equal((await cli.run('ui', '--token-file', `${cli.base}/none`)).status, 64);
  assert.equal((await cli.run('ui', '--port', 'x')).status, 64);
  const server = cli.start(['ui']);
  await server.says(/Ctrl-C/);
  const { port } = new URL(server.stdout);
  const second = await cli.run('ui', '--port', port);
  assert.equal(second.status, 125);
  assert.match(second.stderr, /EADDRINUSE/);
  await server.waits();
  await server.interrupted();
});
