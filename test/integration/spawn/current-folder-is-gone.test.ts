import assert from 'node:assert/strict';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { McpProcess } from '../../support/mcp-process.ts';
import { root } from '../../support/repository.ts';
import { World } from '../../support/world.ts';

/** What an agent is told when it asks for something while its folder is gone. */
const gone =
  /^expected the current folder to be there, .*; found that it was removed\. Name a folder by its absolute path/;

test('a process whose folder was removed gets an error, starts nothing there, and can use another folder', async () => {
  await using world = new World();
  const folder = join(world.base, 'folder');
  mkdirSync(folder);
  await using agent = await Agent.start(world.dir);
  const { errors, text, snapshotCwd, count } = await agent.run(
    async ({ session, openStore, diagnose, fs }, path) => {
      process.chdir(path);
      fs.rmdirSync(path);
      const refused = async (call: () => Promise<unknown>): Promise<[string, string]> => {
        try {
          await call();
          return ['none', ''];
        } catch (error) {
          return [(error as { code: string }).code, (error as Error).message];
        }
      };
      const found = [
        await refused(() => session.spawn('touch ran')),
        await refused(() => session.spawn('touch ran', { cwd: 'relative' })),
        await refused(() => session.run('touch ran', { cwd: '.' })),
        await refused(() => openStore({ dir: 'relative' })),
        await refused(() => diagnose({ dir: 'relative' })),
      ];
      const { output, snapshot } = await session.run('pwd', { cwd: '/' });
      const { length } = await session.tasks();
      return { errors: found, text: output.text, snapshotCwd: snapshot.cwd, count: length };
    },
    folder,
  );
  for (const [code, message] of errors) {
    assert.equal(code, 'INVALID_CWD');
    assert.match(message, gone);
  }
  assert.deepEqual([text, snapshotCwd, count], ['/\n', '/', 1]);
});

test('a running task goes on when its folder, or that of its spawner, is removed', async () => {
  await using world = new World();
  const folder = join(world.base, 'folder');
  mkdirSync(folder);
  await using agent = await Agent.start(world.dir);
  const { exitCode, next } = await agent.run(async ({ session, fs }, path) => {
    process.chdir(path);
    const task = await session.spawn('until [ ! -d "$FOLDER" ]; do sleep 0.01; done; exit 5', {
      env: { FOLDER: path },
    });
    fs.rmdirSync(path);
    const ended = await task.wait();
    return { exitCode: ended.exitCode, next: (await session.run('exit 6', { cwd: '/' })).snapshot.exitCode };
  }, folder);
  assert.deepEqual([exitCode, next], [5, 6]);
});

test('a folder that was made again is used', async () => {
  await using world = new World();
  const folder = join(realpathSync(world.base), 'folder');
  mkdirSync(folder);
  await using agent = await Agent.start(world.dir);
  const text = await agent.run(async ({ session, fs }, path) => {
    process.chdir(path);
    process.cwd();
    fs.rmdirSync(path);
    fs.mkdirSync(path);
    return (await session.run('pwd')).output.text;
  }, folder);
  assert.equal(text, `${folder}\n`);
});

for (const generation of [1, 2] as const) {
  test(`an MCP server of generation ${generation} whose folder was removed runs only calls that name a folder, and says why`, async () => {
    await using world = new World();
    const folder = join(world.base, 'folder');
    mkdirSync(folder);
    const script = `import { rmdirSync } from 'node:fs'; process.chdir(${JSON.stringify(folder)}); rmdirSync(${JSON.stringify(folder)});`;
    const fixture = join(root, 'test/fixtures/mcp-server.mjs');
    const program = ['--import', `data:text/javascript,${encodeURIComponent(script)}`, fixture];
    await using server = await McpProcess.start(world, { generation, program });
    for (let count = 0; count < 2; count += 1) {
      const { content, isError } = await server.call('run', { command: 'pwd', cwd: '/' });
      assert.ok(!isError && content[0]?.text.endsWith('\n| /'), JSON.stringify(content));
    }
    for (const args of [{ command: 'pwd' }, { command: 'pwd', cwd: 'relative' }]) {
      const { content, isError } = await server.call('run', args);
      const [code, message] = (content[0]?.text ?? '').split(/: (.*)/s);
      assert.deepEqual([isError, code], [true, 'INVALID_CWD']);
      assert.match(message ?? '', gone);
    }
    assert.equal(world.taskIds().length, 2);
  });
}
