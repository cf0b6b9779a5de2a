import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { installedPackage, runProgram } from '../support/packed.ts';
import { root } from '../support/repository.ts';

const consumer = installedPackage();

test('the packed package installs into an empty project, with what it needs and nothing else', () => {
  assert.deepEqual(readdirSync(join(consumer, 'node_modules', 'outlive')).sort(), [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist',
    'man',
    'package.json',
    'src',
  ]);
});

test('what is loaded only when it is used is found there, too', () => {
  const program = `import { openStore } from 'outlive';
    const store = await openStore({ dir: process.argv[2] });
    const task = await (await store.session('s')).spawn('echo ready; exec sleep 1000');
    console.log((await task.waitFor({ pattern: /^r.*y$/ })).cause);
    await task.kill({ graceMs: 0 });
    await store.close();`;
  const store = mkdtempSync(join(tmpdir(), 'outlive-test-'));
  writeFileSync(join(consumer, 'waits.mjs'), program);
  assert.equal(runProgram(process.execPath, ['waits.mjs', store], consumer).trim(), 'pattern');
  rmSync(store, { recursive: true });
});

test('the keeper of Windows is where a spawning process looks for it', () => {
  const file = join(consumer, 'node_modules/outlive/dist/bin/keeper.js');
  // A store that is not there is none of its business.
  assert.equal(
    runProgram(process.execPath, [file, join(consumer, 'no-store'), 'keeper-0-1-1'], consumer),
    '',
  );
});

test('the MCP server of the package answers its client there', () => {
  const program = `import { openStore } from 'outlive';
    import { runStdioServer } from 'outlive/mcp';
    const store = await openStore({ dir: process.argv[2] });
    await runStdioServer({ store, session: 's' });
    await store.close();`;
  writeFileSync(join(consumer, 'serves.mjs'), program);
  const clientInfo = { name: 'test', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const input = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`;
  const store = mkdtempSync(join(tmpdir(), 'outlive-test-'));
  const answer = runProgram(process.execPath, ['serves.mjs', store], consumer, input);
  rmSync(store, { recursive: true });
  assert.match(answer, /"serverInfo":\{"name":"outlive"/);
});

test('an ACP agent runs a command in an editor that has the package beside its SDK', () => {
  const program = `import { agent, client } from '@agentclientprotocol/sdk';
    import { openStore } from 'outlive';
    import { serveTerminals } from 'outlive/acp';
    const store = await openStore({ dir: process.argv[2] });
    const editor = client();
    serveTerminals(editor, { store });
    const connection = agent().connect(editor);
    const terminal = await connection.client.createTerminal({ sessionId: 's', command: 'echo hello; exit 3' });
    await terminal.waitForExit();
    console.log(JSON.stringify(await terminal.currentOutput()));
    await terminal.release();
    console.log(await terminal.kill().catch((error) => error.code));
    connection.close();
    await store.close();`;
  writeFileSync(join(consumer, 'edits.mjs'), program);
  const store = mkdtempSync(join(tmpdir(), 'outlive-test-'));
  const [answer = '', code] = runProgram(process.execPath, ['edits.mjs', store], consumer).split('\n');
  rmSync(store, { recursive: true });
  const exitStatus = { exitCode: 3, signal: null };
  assert.deepEqual(JSON.parse(answer), { output: 'hello\n', truncated: false, exitStatus });
  assert.equal(code, '-32002');
});

test('a program in that project can import openStore', () => {
  const program = "import { openStore } from 'outlive'; console.log(typeof openStore);";
  writeFileSync(join(consumer, 'program.mjs'), program);
  assert.equal(runProgram(process.execPath, ['program.mjs'], consumer).trim(), 'function');
});

test("a TypeScript program in that project type-checks, the package's declarations included", () => {
  const program =
    "import { openStore } from 'outlive';\nexport const open: () => Promise<unknown> = openStore;\n";
  writeFileSync(join(consumer, 'program.ts'), program);
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023'];
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  runProgram(process.execPath, [tsc, ...options, ...types, 'program.ts'], consumer);
});
