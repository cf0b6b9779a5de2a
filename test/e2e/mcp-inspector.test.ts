import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { mcpEnvironment } from '../support/mcp-env.ts';
import { startHttp, testToken } from '../support/mcp-http.ts';
import { root } from '../support/repository.ts';
import { fixturePath, World } from '../support/world.ts';

const inspector = join(root, 'node_modules/@modelcontextprotocol/inspector-cli/build/cli.js');

/** Runs the inspector's command line, and gives what it prints. */
async function inspect(target: readonly string[], args: readonly string[]): Promise<Record<string, unknown>> {
  const options = { env: mcpEnvironment(), timeout: 60_000 };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [inspector, '--cli', ...target, ...args],
    options,
  );
  return JSON.parse(stdout);
}

const run = ['--method', 'tools/call', '--tool-name', 'run', '--tool-arg', 'command=echo inspected'];

test("the inspector's command line lists the tools and runs a command over stdio", async () => {
  await using world = new World();
  const target = [process.execPath, fixturePath('mcp-server.mjs'), world.dir, 's'];
  const { tools } = await inspect(target, ['--method', 'tools/list']);
  assert.equal((tools as unknown[]).length, 5);
  assert.match(JSON.stringify(await inspect(target, run)), /inspected/);
  const { resources } = await inspect(target, ['--method', 'resources/list']);
  assert.equal((resources as unknown[]).length, 2);
});

test("the inspector's command line runs a command over HTTP", async () => {
  await using world = new World();
  await using server = await startHttp(world);
  const headers = [`Authorization: Bearer ${testToken}`, 'Outlive-Session: s'].flatMap((line) => [
    '--header',
    line,
  ]);
  const answer = await inspect([server.url], ['--transport', 'http', ...headers, ...run]);
  assert.match(JSON.stringify(answer), /inspected/);
});
