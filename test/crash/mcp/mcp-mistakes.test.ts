import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { outputUri } from '../../../src/mcp/resources/uris.ts';
import { endBelow } from '../../support/below.ts';
import { atSomeMistakes, parse } from '../../support/crashes.ts';
import { McpProcess, type Message, type ToolResult } from '../../support/mcp-process.ts';
import { fixturePath, World } from '../../support/world.ts';

const program = [
  '--import',
  pathToFileURL(fixturePath('fails-at-call.mjs')).href,
  fixturePath('mcp-dies-at-call.mjs'),
];

/** A life takes two seconds or three. */
const brokenAfterMs = 30_000;
const mostTries = 5;

/** The commands, by how they end. */
const ends = {
  short: 'exit 3',
  quiet: 'sleep 0.2; exit 4',
  late: 'sleep 0.2; exit 5',
  pushed: 'sleep 0.2; exit 6',
};

for (const generation of [1, 2] as const) {
  test(`a bug at any call of an MCP server of generation ${generation} is reported, ends no server and leaves no client waiting forever`, async (t) => {
    await using world = new World();
    const first = await live(world, generation, 0);
    assert.deepEqual(first.wrong, []);
    assert.ok(first.calls > 20, `${first.calls} calls`);
    const wrong: string[] = [];
    await atSomeMistakes(first.calls, async (at) => {
      wrong.push(...(await live(world, generation, at)).wrong);
    });
    // That there are some is what is tried here.
    world.takeWarnings();
    assert.deepEqual(wrong, []);
    t.diagnostic(`${first.calls} calls`);
  });
}

/** A life of a server in which one call fails by a mistake in the program; 0: none does. */
async function live(
  world: World,
  generation: 1 | 2,
  at: number,
): Promise<{ calls: number; wrong: string[] }> {
  const dir = join(world.base, `g${generation}-${at}`);
  const env = {
    FAILS_AT_CALL: String(at),
    FAILS_FOR: '1',
    FAILS_WITH: 'TypeError',
    FAILS_NEVER: '',
    FAILS_IN: dir,
    FAILS_TELLS: '2',
    // Where warnings go that are of no store.
    OUTLIVE_TEST_SCRATCH: world.base,
  };
  const tasks = generation === 2;
  const server = await McpProcess.start(world, { dir, session: 's', generation, tasks, program, env });
  const wrong: string[] = [];
  const force = setTimeout(() => {
    wrong.push(`it does not come to its end; so far ${server.lines.join('\n')}`);
    void server.crash();
  }, brokenAfterMs);
  const use = generation === 1 ? useAsLegacy : useAsModern;
  await Promise.race([use(server).catch((error) => wrong.push(String(error))), server.ended()]);
  const code = await server.close();
  clearTimeout(force);
  endBelow(dir);
  if (code !== 0) wrong.push(`the server ended with ${code}: ${server.stderr}`);
  const said = parse(
    server.stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .join('\n'),
  );
  const answered = server.lines.join('\n');
  // Who asked was answered with it, or it was a warning.
  const isTold = (what: string): boolean =>
    answered.includes(/a planted mistake, call \d+:/.exec(what)?.[0] ?? what);
  wrong.push(...said.wrong.filter((what) => !what.startsWith('swallowed') || !isTold(what)));
  return { calls: said.calls ?? 0, wrong: wrong.map((what) => `call ${at}: ${what}`) };
}

/** What a client of 2025-11-25 does: it is sent log messages, changes of resources and the ends of its MCP tasks. */
async function useAsLegacy(server: McpProcess): Promise<void> {
  await ask(server, 'logging/setLevel', { level: 'info' });
  await call(server, 'run', { command: ends.short });
  const dev = await call(server, 'run', { command: 'echo up; exec sleep 1000', wait_ms: 0 });
  await ask(server, 'resources/subscribe', { uri: outputUri(dev.structuredContent.task.taskId) });
  const made = await ask(server, 'tools/call', {
    name: 'run',
    arguments: { command: ends.pushed },
    task: {},
  });
  const { taskId } = made.task as { taskId: string };
  const quiet = await call(server, 'run', { command: ends.quiet, wait_ms: 0 });
  await ask(server, 'tasks/result', { taskId });
  await endOf(server, quiet.structuredContent.task.taskId);
  await endDev(server, dev.structuredContent.task.taskId);
}

/** What a client of 2026-07-28 does: it listens for the ends of its tasks. */
async function useAsModern(server: McpProcess): Promise<void> {
  const taskIds: string[] = [];
  for (const command of [ends.pushed, ends.late]) taskIds.push(await start(server, { command, wait_ms: 0 }));
  const dev = await start(server, { command: 'exec sleep 1000', wait_ms: 0 });
  server.send('subscriptions/listen', {
    notifications: { taskIds, resourceSubscriptions: [outputUri(dev)], resourcesListChanged: true },
  });
  for (const taskId of taskIds) await statusOf(server, taskId, 'completed');
  await endDev(server, dev);
}

/** Starts a command; the answer is the task, if that has not ended at once. */
async function start(server: McpProcess, args: object): Promise<string> {
  const answer = await ask(server, 'tools/call', { name: 'run', arguments: args });
  const { structuredContent } = answer as unknown as ToolResult;
  return String(answer.taskId ?? structuredContent.task.taskId);
}

/** Asks again what was refused, as a client would. */
async function ask(server: McpProcess, method: string, params: object): Promise<Record<string, unknown>> {
  let answer: Message = {};
  for (let tries = 0; tries < mostTries; tries += 1) {
    answer = await server.ask(method, { ...params });
    // That a command has failed is an answer.
    const { result } = answer;
    if (result !== undefined && (result.isError !== true || 'structuredContent' in result)) return result;
    await pause();
  }
  throw new Error(`${method} was refused ${mostTries} times: ${JSON.stringify(answer)}`);
}

async function call(server: McpProcess, name: string, args: object): Promise<ToolResult> {
  return (await ask(server, 'tools/call', { name, arguments: args })) as unknown as ToolResult;
}

async function statusOf(server: McpProcess, taskId: string, status: string): Promise<void> {
  while ((await ask(server, 'tasks/get', { taskId })).status !== status) await pause();
}

async function endOf(server: McpProcess, task: string): Promise<void> {
  let status = '';
  while (!/^(?:failed|lost)$/.test(status))
    status = (await call(server, 'wait', { task })).structuredContent.task.status;
}

/** Stops the task that does not end by itself, and looks at it. */
async function endDev(server: McpProcess, task: string): Promise<void> {
  await call(server, 'output', { task });
  await call(server, 'kill', { task, grace_ms: 0 });
  await call(server, 'tasks', {});
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
