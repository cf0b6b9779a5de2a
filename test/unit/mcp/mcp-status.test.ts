import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mcpStatus } from '../../../src/mcp/tasks/mcp-task.ts';
import type { TaskStatus } from '../../../src/model/words.ts';

// Status and reason of a task, then the status of the MCP task in generation 1 and 2.
const table: readonly [TaskStatus, string | null, string, string][] = [
  ['queued', null, 'working', 'working'],
  ['starting', null, 'working', 'working'],
  ['running', null, 'working', 'working'],
  ['running', 'suspended', 'working', 'working'],
  ['running', 'elsewhere', 'working', 'working'],
  ['killing', null, 'working', 'working'],
  ['completed', null, 'completed', 'completed'],
  ['completed', 'hidden_failure', 'completed', 'completed'],
  ['failed', null, 'completed', 'completed'],
  ['failed', 'spawn_aborted', 'failed', 'completed'],
  ['failed', 'signal', 'completed', 'completed'],
  ['killed', 'kill', 'cancelled', 'cancelled'],
  ['killed', 'shutdown', 'cancelled', 'cancelled'],
  ['killed', 'stale', 'cancelled', 'cancelled'],
  ['killed', 'output_limit', 'completed', 'completed'],
  ['timed_out', 'timeout', 'completed', 'completed'],
  ['lost', 'reboot', 'completed', 'completed'],
  ['lost', null, 'completed', 'completed'],
];

for (const [status, reason, first, second] of table) {
  test(`${status}${reason === null ? '' : ` (${reason})`} is ${first} in generation 1 and ${second} in 2`, () => {
    assert.deepEqual([mcpStatus(status, reason, 1), mcpStatus(status, reason, 2)], [first, second]);
  });
}
