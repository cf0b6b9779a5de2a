import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { World } from '../../support/world.ts';

/** What a model reads of an answer. */
async function read(server: McpProcess, tool: string, args: Record<string, unknown>): Promise<string> {
  const { content } = await server.call(tool, args);
  return content.map(({ text }: { readonly text: string }) => text).join('\n');
}

test('an agent drives a REPL: it sees the screen, types, and then sees only what changed', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  const begun = await read(server, 'run', { command: 'python3 -q', name: 'repl', tty: true });
  assert.match(begun, /Screen, 100 x 30, cursor in row 1, column 5:\n\| >>>/);
  const product = await read(server, 'send', { task: 'repl', text: 'print(6 * 7)', keys: ['enter'] });
  assert.match(product, /\| *42\n/);
  await read(server, 'send', {
    task: 'repl',
    text: 'for n in range(1000, 1015): print(n)\n',
    keys: ['enter'],
  });
  const changed = await read(server, 'send', { task: 'repl', text: '6 * 9', keys: ['enter'] });
  assert.match(changed, /only the rows that changed/);
  assert.match(changed, /\b54$/m);
  assert.doesNotMatch(changed, /1007/);
  const looked = await read(server, 'screen', { task: 'repl' });
  assert.match(looked, /\| >>> print\(6 \* 7\)\n\| 42\n\| >>>[\s\S]*1007/);
  const left = await read(server, 'send', { task: 'repl', text: 'exit(3)', keys: ['enter'] });
  assert.match(left, /failed \(exit code 3\)/);
});

test('an agent at a password prompt is told that a person must type it, and where', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  const command = 'read -r -s -p "Password: " word; echo; expr length "$word"';
  const asked = await read(server, 'run', { command, name: 'login', tty: true });
  assert.match(asked, /\| Password:/);
  assert.match(asked, /It asks for a password\. Do not make one up.*outlive attach bgb-[0-9a-f]{12}/);
  await read(server, 'send', { task: 'login', text: 'hunter2', keys: ['enter'] });
  const output = await read(server, 'output', { task: 'login' });
  assert.match(output, /^\| 7$/m);
  assert.doesNotMatch(output, /hunter2/);
});

test('an agent types into a command without a terminal, and gets its new output', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  await server.call('run', { command: 'cat', name: 'cat', stdin: 'open', wait_ms: 0 });
  assert.match(await read(server, 'send', { task: 'cat', text: 'one\n' }), /\n\| one$/m);
  const second = await read(server, 'send', { task: 'cat', text: 'two\n', eof: true });
  assert.match(second, /completed \(exit code 0\)/);
  assert.match(second, /\n\| two/);
  assert.doesNotMatch(second, /one/);
  const whole = await read(server, 'run', { command: 'wc -c', stdin: { data: 'four' } });
  assert.match(whole, /4/);
});

test('typing into a task without input gives an error in the words of the tools', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  await server.call('run', { command: 'sleep 1000', name: 'plain', wait_ms: 0 });
  assert.match(await read(server, 'send', { task: 'plain', text: 'x' }), /takes no input/);
  assert.match(await read(server, 'screen', { task: 'plain' }), /found that it has none/);
  assert.match(await read(server, 'send', { task: 'plain', keys: ['hyper-q'] }), /enter, escape/);
  await server.call('kill', { task: 'plain' });
});
