import { exitOf, spawnBare } from '../bare.ts';
import { Gate } from '../gate.ts';
import type { Ground } from '../ground.ts';
import { type Fields, McpClient } from '../mcp-client.ts';
import { median, must, p95, pause, takeTurns } from '../measure.ts';
import { judge, noLimit, type Row } from '../row.ts';

const rounds = 40;

/** A command has run for so long when it ends, so that all around its start is over. */
const settleMs = 20;

/** What has been started: a command at a gate, and the news of its end that is awaited. */
interface Awaited {
  readonly known: Promise<unknown>;
}

type Way = (gate: Gate) => Promise<Awaited>;

/** From the end of a command to its being known to an MCP client, for each way that the news can take. */
export async function exitToMcpClient(ground: Ground): Promise<Row[]> {
  const first = await McpClient.start(ground.storeDir, 1);
  const second = await McpClient.start(ground.storeDir, 2);
  const gate = new Gate(ground.newFile());
  const bare: Way = async () => ({ known: exitOf(spawnBare('/bin/sh', gate.command, ground.newFile())) });
  const ways: readonly [what: string, way: Way][] = [
    ['the tool `wait`', waitTool(first)],
    ['2025-11-25, `notifications/tasks/status`', statusNotification(first)],
    ['2025-11-25, `tasks/result`', taskResult(first)],
    ['2026-07-28, `notifications/tasks`', taskNotification(second)],
    ['2026-07-28, `tasks/get` at the interval that the server asks for', polling(second)],
    ['riding on the answers of a client that calls `output` on and on', riding(first)],
  ];
  const rows: Row[] = [];
  for (const [what, way] of ways) {
    const subjects = { ours: () => once(gate, way), bare: () => once(gate, bare) };
    const samples = await takeTurns(rounds, subjects, 5);
    const figures = {
      what: `exit of a command to an MCP client: ${what}`,
      unit: 'ms',
      measured: median(samples.ours),
      p95: p95(samples.ours),
      beside: "bare child, Node's `exit` event",
      besideMeasured: median(samples.bare),
    };
    rows.push(judge(figures, noLimit));
  }
  gate.close();
  await first.close();
  await second.close();
  return rows;
}

async function once(gate: Gate, way: Way): Promise<number> {
  const { known } = await way(gate);
  await gate.ready();
  await pause(settleMs);
  const begin = performance.now();
  gate.open();
  await must('the news', known);
  return performance.now() - begin;
}

function waitTool(client: McpClient): Way {
  return async (gate) => {
    const taskId = await start(client, gate);
    return { known: client.call('wait', { task: taskId }) };
  };
}

function statusNotification(client: McpClient): Way {
  return async (gate) => {
    await startTask2025(client, gate);
    return { known: client.notified('notifications/tasks/status') };
  };
}

function taskResult(client: McpClient): Way {
  return async (gate) => {
    const taskId = await startTask2025(client, gate);
    return { known: client.request('tasks/result', { taskId }) };
  };
}

function taskNotification(client: McpClient): Way {
  return async (gate) => {
    const { taskId } = await client.call('run', { command: gate.command, wait_ms: 0 });
    const acknowledged = client.notified('notifications/subscriptions/acknowledged');
    client.request('subscriptions/listen', { notifications: { taskIds: [taskId] } }).catch(() => undefined);
    await acknowledged;
    return { known: client.notified('notifications/tasks') };
  };
}

function polling(client: McpClient): Way {
  return async (gate) => {
    const task = await client.call('run', { command: gate.command, wait_ms: 0 });
    const poll = async (): Promise<void> => {
      for (let seen: Fields = task; seen.status === 'working'; ) {
        await pause(Number(seen.pollIntervalMs));
        seen = await client.request('tasks/get', { taskId: task.taskId });
      }
    };
    return { known: poll() };
  };
}

function riding(client: McpClient): Way {
  return async (gate) => {
    const taskId = await start(client, gate);
    const untilTold = async (): Promise<void> => {
      for (let told: unknown; told === undefined; ) {
        told = fieldsOf(
          (await client.call('output', { task: taskId, max_bytes: 1 })).structuredContent,
        ).completions;
      }
    };
    return { known: untilTold() };
  };
}

async function start(client: McpClient, gate: Gate): Promise<unknown> {
  const { structuredContent } = await client.call('run', { command: gate.command, wait_ms: 0 });
  return fieldsOf(fieldsOf(structuredContent).task).taskId;
}

async function startTask2025(client: McpClient, gate: Gate): Promise<unknown> {
  const { task } = await client.call('run', { command: gate.command }, { task: {} });
  return fieldsOf(task).taskId;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
