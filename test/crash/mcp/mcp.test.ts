import assert from 'node:assert/strict';
import { existsSync, readFileSync, utimesSync } from 'node:fs';
import { test } from 'node:test';
import { atSomeCalls } from '../../support/crashes.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { McpProcess, type ToolResult } from '../../support/mcp-process.ts';
import { fixturePath, World, waitFor } from '../../support/world.ts';

const program = ['--import', fixturePath('dies-at-call.mjs'), fixturePath('mcp-dies-at-call.mjs')];

test('an MCP server that dies at any call loses no task and no end, and the next one goes on', async (t) => {
  await using world = new World();
  const calls = await live(world, 0);
  assert.ok(calls > 20, `${calls} calls of a life are counted`);
  await atSomeCalls(calls, async (at) => void (await live(world, at)), 10);
  t.diagnostic(`${calls} calls`);
});

/** One life of a server, in which a client makes some calls, and then that of another. */
async function live(world: World, diesAt: number): Promise<number> {
  const [dir, ran] = [`${world.dir}/${diesAt}`, `${world.base}/ran-${diesAt}`];
  const env = { DIES_AT_CALL: String(diesAt), RAN: ran };
  await using server = await McpProcess.start(world, { dir, session: 's', program, env });
  const said = await speak(server);
  if (said.isWhole) await server.close();
  const killSignal = await server.ended();
  assert.ok(killSignal === 'SIGKILL' || diesAt === 0 || said.isWhole, `died of ${killSignal} at ${diesAt}`);
  makeStraysOld(world, dir);
  await using next = await McpProcess.start(world, { dir, session: 's' });
  try {
    await checkAfter(world, next, dir, said, ran);
  } catch (error) {
    throw new Error(`after a death before call ${diesAt}: ${server.lines.join('\n')}`, { cause: error });
  }
  const told = /"calls":(\d+)/.exec(server.stderr)?.[1];
  return Number(told ?? 0);
}

/** What a crash leaves is swept by the next one, when it is old enough. */
function makeStraysOld(world: World, dir: string): void {
  for (const path of world.files().map((file) => world.dir + file))
    if (path.startsWith(`${dir}/`) && path.endsWith('.tmp')) utimesSync(path, 0, 0);
}

interface Said {
  /** The answers that came, by what was called. */
  readonly answers: Partial<Record<'short' | 'dev' | 'quiet' | 'kill', ToolResult>>;
  /** All that came, as text. */
  readonly text: string;
  readonly isWhole: boolean;
}

const record = 'echo "$OUTLIVE_TASK" >>"$RAN"';

/** What the client does, until the server is gone. */
async function speak(server: McpProcess): Promise<Said> {
  const answers: Said['answers'] = {};
  const work = async (): Promise<boolean> => {
    answers.short = await server.call('run', { command: `${record}; exit 3` });
    answers.dev = await server.call('run', { command: `${record}; sleep 1000`, name: 'dev', wait_ms: 0 });
    answers.quiet = await server.call('run', { command: `${record}; sleep 0.1; exit 4`, wait_ms: 0 });
    await server.call('wait', { task: answers.quiet.structuredContent.task.taskId });
    await server.call('output', { task: answers.short.structuredContent.task.taskId });
    answers.kill = await server.call('kill', { task: 'dev', grace_ms: 0 });
    await server.call('tasks');
    return true;
  };
  const isWhole = await Promise.race([work(), server.ended().then(() => false)]);
  return { answers, text: server.lines.join('\n'), isWhole };
}

async function checkAfter(
  world: World,
  next: McpProcess,
  dir: string,
  { answers, text }: Said,
  ran: string,
): Promise<void> {
  const inDir = (path: string): boolean => path.startsWith(`${dir.slice(world.dir.length)}/`);
  const logs = world.files().filter((path) => inDir(path) && path.endsWith('.jsonl'));
  const idIn = (path: string): string => path.slice(-'bgb-123456781234.jsonl'.length, -'.jsonl'.length);
  const recorded = logs.filter((path) => hasFact(world.dir + path, 'spec')).map(idIn);
  // The log of a task that is done moves.
  const has = (fact: Parameters<typeof hasFact>[1]) => (id: string) => hasFact(world.logOf(id), fact);
  // Whoever has run has a record, and so has what was answered.
  const cookies = existsSync(ran) ? readFileSync(ran, 'utf8').split('\n').filter(Boolean) : [];
  const answered = Object.values(answers).map((answer) => answer.structuredContent.task.taskId);
  for (const id of [...cookies.map((cookie) => cookie.split('.')[0]), ...answered])
    assert.ok(recorded.includes(id ?? ''), `${id} has no record`);
  // What counts as told has reached the client.
  const told = recorded.filter(has('delivered'));
  for (const id of told) assert.match(text, new RegExp(`"taskId":"${id}"[^}]*"(?:failed|killed)"`));
  // Its successor ends what runs, and tells of each end that nobody was told of, once.
  const heard: string[] = [];
  const listen = (answer: ToolResult): void => {
    heard.push(...(answer.structuredContent.completions ?? []).map(({ taskId }) => taskId));
  };
  await waitFor(async () => {
    listen(await next.call('tasks'));
    const dev = await next.call('kill', { task: 'dev', grace_ms: 0 }).catch(() => null);
    if (dev?.structuredContent?.task !== undefined) listen(dev);
    return recorded.every(has('outcome'));
  }, 'all to end');
  const pending = recorded.filter((id) => !told.includes(id));
  await waitFor(async () => {
    listen(await next.call('tasks'));
    return pending.every(has('delivered'));
  }, 'all that is pending to be told');
  assert.equal(new Set(heard).size, heard.length, `told twice: ${heard}`);
  for (const id of recorded) {
    const { status, exitCode } = factOf(world.logOf(id), 'outcome');
    const { command } = factOf(world.logOf(id), 'spec');
    const code = /exit (\d)/.exec(command)?.[1];
    if (code !== undefined && status === 'failed' && exitCode !== null) assert.equal(exitCode, Number(code));
    else assert.ok(status === 'killed' || (status === 'failed' && !has('started')(id)), status);
    assert.deepEqual(world.pidsOf(id), []);
  }
}
