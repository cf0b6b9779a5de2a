import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokenLinks, type Repository } from '../../architecture/links.ts';
import { installedPackage, installGlobally, runProgram } from '../../support/packed.ts';
import { root } from '../../support/repository.ts';

const consumer = installedPackage();

test('the packed package installs into an empty project, with its dependencies and nothing else', () => {
  assert.deepEqual(readdirSync(join(consumer, 'node_modules', 'outlive')).sort(), [
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'dist',
    'docs',
    'examples',
    'man',
    'package.json',
    'server.json',
    'snapshot.schema.json',
    'src',
  ]);
});

test('the package contains its pages, and their links work there', () => {
  const folder = join(consumer, 'node_modules', 'outlive');
  const there: Repository = {
    // The sources of tests, tools and the shim are in the repository alone.
    exists: (path) =>
      /^(?:test|scripts|bench|native|\.ci|\.github)\//.test(path) || existsSync(join(folder, path)),
    read: (path) => readFileSync(join(folder, path), 'utf8'),
  };
  const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.md') && !path.includes('node_modules'),
  );
  assert.ok(pages.includes('README.md') && pages.includes('docs/guide/waiting.md'));
  assert.deepEqual(
    pages.flatMap((page) => brokenLinks(page, there)),
    [],
  );
});

test('a global install brings the program and its manual page', () => {
  const prefix = join(consumer, 'global');
  try {
    installGlobally(prefix);
    const version = runProgram(join(prefix, 'bin', 'outlive'), ['--version'], prefix).trim();
    const { version: expected } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    assert.equal(version, expected);
    const manual = readFileSync(join(prefix, 'share', 'man', 'man1', 'outlive.1'), 'utf8');
    assert.equal(manual, readFileSync(join(root, 'man', 'outlive.1'), 'utf8'));
  } finally {
    rmSync(prefix, { recursive: true, force: true });
  }
});

test('the schema of a snapshot can be imported', () => {
  const program = `import { createRequire } from 'node:module';
    console.log(createRequire(import.meta.url)('outlive/snapshot.schema.json').type);`;
  writeFileSync(join(consumer, 'schema.mjs'), program);
  assert.equal(runProgram(process.execPath, ['schema.mjs'], consumer).trim(), 'object');
});

test('modules that are loaded only when they are used are found there, too', () => {
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

test('the package has its tools, and a missing SDK is named', () => {
  const program = `import { openStore } from 'outlive';
    import { sessionTools } from 'outlive/tools';
    import { aiTools } from 'outlive/ai';
    import { claudeTools } from 'outlive/claude';
    import { openAiTools } from 'outlive/openai';
    import { piExtension } from 'outlive/pi';
    const store = await openStore({ dir: process.argv[2] });
    const session = await store.session('s');
    const tools = await sessionTools(store, session);
    const told = await tools.list[0].call({ command: 'echo ready' });
    await told.ack();
    const missing = [aiTools, claudeTools, openAiTools].map((make) => make(store, session).catch(({ message }) => message));
    const named = (await Promise.all(missing)).map((message) => /expected the package (\\S+)/.exec(message)?.[1]);
    console.log(JSON.stringify([told.text.split('\\n').at(-1), ...named, typeof piExtension()]));
    await store.close();`;
  writeFileSync(join(consumer, 'tools.mjs'), program);
  const store = mkdtempSync(join(tmpdir(), 'outlive-test-'));
  const printed = runProgram(process.execPath, ['tools.mjs', store], consumer);
  rmSync(store, { recursive: true });
  const sdks = ['ai', '@anthropic-ai/claude-agent-sdk', '@openai/agents'];
  assert.deepEqual(JSON.parse(printed), ['| ready', ...sdks, 'function']);
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

test('an ACP agent runs a command in an editor that has the package next to its SDK', () => {
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
