import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { CommandLine } from '../../support/command-line.ts';
import { serverCommand } from '../../support/mcp-clients.ts';
import { mcpEnvironment } from '../../support/mcp-env.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { root } from '../../support/repository.ts';
import { World } from '../../support/world.ts';

// The package of the command line reads the package.json of the inspector that it is usually a part of.
// On Windows, where links need a privilege, it is below the modules.
const scratch = mkdtempSync(join(onWindows ? join(root, 'build') : tmpdir(), 'outlive-inspector-'));
const inspector = join(scratch, 'cli/build/cli.js');
before(() => {
  const source = join(root, 'node_modules/@modelcontextprotocol/inspector-cli');
  cpSync(join(source, 'build'), join(scratch, 'cli/build'), { recursive: true });
  cpSync(join(source, 'package.json'), join(scratch, 'cli/package.json'));
  cpSync(join(source, 'package.json'), join(scratch, 'package.json'));
  if (!onWindows) symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
});
after(() => rmSync(scratch, { recursive: true }));

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

/** The installed program, as a server on stdio. */
function targetOn(world: World): string[] {
  const { command, args } = serverCommand(world, 's');
  return [command, ...args];
}

const run = ['--method', 'tools/call', '--tool-name', 'run', '--tool-arg', 'command=echo inspected'];

test("the inspector's command line lists the tools and runs a command over stdio", async () => {
  await using world = new World();
  const target = targetOn(world);
  const { tools } = await inspect(target, ['--method', 'tools/list']);
  assert.equal((tools as unknown[]).length, 8);
  assert.match(JSON.stringify(await inspect(target, run)), /inspected/);
  const { resourceTemplates } = await inspect(target, ['--method', 'resources/templates/list']);
  assert.equal((resourceTemplates as unknown[]).length, 2);
});

test("the inspector's command line runs a command over HTTP", async () => {
  await using cli = new CommandLine();
  const file = join(cli.base, 'token');
  writeFileSync(file, 'a-token-of-this-test', { mode: 0o600 });
  const server = cli.start(['mcp', '--http', '--session', 's', '--token-file', file]);
  await server.says(/serves MCP at http:\S+\n/);
  const url = /http:\S+/.exec(server.stderr)?.[0] ?? '';
  const headers = ['--header', 'Authorization: Bearer a-token-of-this-test'];
  const answer = await inspect([url], ['--transport', 'http', ...headers, ...run]);
  assert.match(JSON.stringify(answer), /inspected/);
  assert.equal((await server.interrupted()).status, 0);
});

test(
  'a command that kills the server of the inspector goes on, and the next call finds its end',
  notOnWindows('it finds the server by /proc'),
  async () => {
    await using world = new World();
    const target = targetOn(world);
    // The record of a task says who asked for it.
    const log = `${world.dir}/sessions/*/tasks/"\${OUTLIVE_TASK%%.*}".jsonl`;
    const server = `sed -n 's/^{"fact":"spec".*"by":{"pid":\\([0-9]*\\).*/\\1/p' ${log}`;
    const command = `kill -9 $(${server}); echo survived; exit 3`;
    const args = ['--method', 'tools/call', '--tool-name', 'run', '--tool-arg', `command=${command}`];
    await assert.rejects(inspect(target, args), /closed/);
    const told = await inspect(target, ['--method', 'tools/call', '--tool-name', 'wait']);
    assert.match(JSON.stringify(told), /exit code 3.*survived/);
  },
);
