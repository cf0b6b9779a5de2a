import type { Gate } from '../gate.ts';
import { exitToKnown, type Way } from '../gated.ts';
import type { Ground } from '../ground.ts';
import { type Fields, McpClient } from '../mcp-client.ts';
import { pause } from '../measure.ts';
import type { Row } from '../row.ts';

/** From the end of a command to its being known to an MCP client, for each way that the news can take. */
export async function exitToMcpClient(ground: Ground): Promise<Row[]> {
  const first = await McpClient.start(ground.storeDir, 1);
  const second = await McpClient.start(ground.storeDir, 2);
  const rows = await exitToKnown(ground, [
    ['an MCP client: the tool `wait`', waitTool(first)],
    ['an MCP client: 2025-11-25, `notifications/tasks/status`', statusNotification(first)],
    ['an MCP client: 2025-11-25, `tasks/result`', taskResult(first)],
    ['an MCP client: 2026-07-28, `notifications/tasks`', taskNotification(second)],
    ['an MCP client: 2026-07-28, `tasks/get` at the interval that the server asks for', polling(second)],
    ['an MCP client: riding on the answers when it calls `output` on and on', riding(first)],
  ]);
  await first.close();
  await second.close();
  return rows;
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
