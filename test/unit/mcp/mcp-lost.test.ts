import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mcpTask } from '../../../src/mcp/tasks/mcp-task.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { snapshotOf } from '../../../src/model/snapshot.ts';
import { presentTask, sayTask } from '../../../src/tools/text/present.ts';
import { outcome, proven, sealedSpec, started } from '../model/sample-facts.ts';

const begin = started().at;

function snapshot(...more: Parameters<typeof foldFacts>[0]) {
  const output = { path: '/o', stderrPath: null, bytes: 4, preview: '', truncated: false };
  return snapshotOf(foldFacts([sealedSpec, started(), ...more]), {
    taskId: 'bgb-0123abcd0123',
    sessionId: 'session-1',
    alive: 'no',
    suspended: false,
    nowMs: begin + 60_000,
    modifiedAt: begin,
    output: { ...output, erasedBytes: 0, droppedBytes: 0, lastWrittenAt: begin + 6_000 },
  });
}

test('over MCP a lost task has no duration, but the time when it was last seen', () => {
  const lost = snapshot(outcome({ startedAt: begin, endedAt: null, lastSeenAt: begin + 6_000 }));
  const { status, durationMs, lastSeenAt } = presentTask(lost);
  assert.deepEqual([status, durationMs, lastSeenAt], ['lost', null, begin + 6_000]);
  assert.match(sayTask(lost), /^bgb-0123abcd0123 lost \(no_exit_marker\), last seen writing after 6 s: /);
  const { statusMessage, lastUpdatedAt } = mcpTask(lost, 2, begin + 60_000);
  assert.equal(statusMessage, 'lost (no_exit_marker), last seen writing after 6 s');
  assert.equal(lastUpdatedAt, new Date(begin + 6_000).toISOString());
});

test('over MCP an ended task has a duration', () => {
  const ended = snapshot(proven(0));
  assert.match(sayTask(ended), /^bgb-0123abcd0123 completed \(exit code 0\) after 980 ms: /);
  assert.equal(presentTask(ended).lastSeenAt, null);
  assert.equal(mcpTask(ended, 1, begin + 60_000).statusMessage, 'completed (exit code 0) after 980 ms');
});
