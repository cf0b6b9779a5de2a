import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as acp from '../../../src/acp/index.ts';
import * as ai from '../../../src/adapters/ai.ts';
import * as claude from '../../../src/adapters/claude.ts';
import * as openai from '../../../src/adapters/openai.ts';
import * as pi from '../../../src/adapters/pi.ts';
import * as outlive from '../../../src/index.ts';
import * as mcp from '../../../src/mcp/index.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { snapshotOf } from '../../../src/model/snapshot.ts';
import * as tools from '../../../src/tools/index.ts';
import { exit, noOutput, outcome, spec, started } from '../model/sample-facts.ts';

// What users and their programs see. A change here changes the interface and belongs into the changelog.

test('the package exports these values and no others', () => {
  assert.deepEqual(Object.keys(outlive).sort(), [
    'OutliveError',
    'bounds',
    'defaults',
    'diagnose',
    'errorCodes',
    'isEnded',
    'openStore',
  ]);
});

test('the MCP server exports these values and no others', () => {
  assert.deepEqual(Object.keys(mcp).sort(), ['runStdioServer', 'startHttpServer']);
});

test('the terminals of editors export these values and no others', () => {
  assert.deepEqual(Object.keys(acp).sort(), ['serveTerminals', 'terminalUpdates']);
});

test('the tools and each adapter export these values and no others', () => {
  assert.deepEqual(Object.keys(tools).sort(), ['SessionTools', 'sessionTools']);
  assert.deepEqual(Object.keys(claude), ['claudeTools']);
  assert.deepEqual(Object.keys(ai), ['aiTools']);
  assert.deepEqual(Object.keys(openai), ['openAiTools']);
  assert.deepEqual(Object.keys(pi), ['piExtension']);
});

const keys = [
  'taskId',
  'sessionId',
  'name',
  'command',
  'cwd',
  'status',
  'statusReason',
  'exitCode',
  'exitSignal',
  'spawnError',
  'pid',
  'shimPid',
  'createdAt',
  'startedAt',
  'endedAt',
  'lastSeenAt',
  'durationMs',
  'timeoutMs',
  'cpuMs',
  'peakBytes',
  'stdin',
  'tty',
  'attached',
  'output',
  'leftovers',
  'delivered',
  'pipeStatus',
  'limits',
  'containment',
  'damaged',
  'labels',
  'after',
  'key',
  'replaces',
];

test('a snapshot has these keys, in this order, whatever is known about the task', () => {
  const logs = [[], [spec()], [spec(), started()], [spec(), started(), exit(0)], [outcome()]];
  for (const log of logs) {
    for (const alive of ['yes', 'no', 'unknown'] as const) {
      const snapshot = snapshotOf(foldFacts(log), {
        taskId: 'bgb-0123abcd0123',
        sessionId: 'session-1',
        alive,
        suspended: false,
        nowMs: 5,
        modifiedAt: 4,
        output: noOutput,
      });
      assert.deepEqual(Object.keys(snapshot), keys);
      // As one line of JSON nothing of it gets lost: there is no undefined among it.
      assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot);
    }
  }
});

test('the defaults are pinned', () => {
  assert.deepEqual(outlive.defaults, {
    timeoutMs: 1_800_000,
    graceMs: 3_000,
    maxRunning: 64,
    onExitMs: 60_000,
    maxOutputBytes: 1_073_741_824,
    keepOutputBytes: 104_857_600,
    diskReserveBytes: 1_073_741_824,
    diskReservePart: 0.05,
    maxStoreBytes: 10_737_418_240,
    retentionMs: 604_800_000,
    previewBytes: 300,
    readBytes: 65_536,
    maxMatchesPerSecond: 10,
  });
});

test('final statuses are distinguished from others', () => {
  const final = ['completed', 'failed', 'killed', 'timed_out', 'lost'] as const;
  for (const status of final) assert.equal(outlive.isEnded(status), true);
  const live = ['queued', 'starting', 'running', 'killing'] as const;
  for (const status of live) assert.equal(outlive.isEnded(status), false);
});
