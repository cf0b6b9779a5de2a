import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandEnvironment } from '../../../src/fleet/agent/command-environment.ts';
import { fitting } from '../../../src/fleet/agent/end-of.ts';
import type { Assignment } from '../../../src/fleet/wire/assignment.ts';
import { readAssignment } from '../../../src/fleet/wire/read-assignment.ts';

function assignment(env: Record<string, string>, tail: string): Assignment {
  return readAssignment({
    ...{ v: 1, host: 'h1', task: 'bgb-0123456789ab', attempt: 2, state: 'ended', request: 'r', client: 'c' },
    spec: {
      ...{ command: 'true', session: 's', name: null, labels: {}, cwd: null, env },
      ...{ secrets: {}, timeoutMs: null, stdin: 'none' },
    },
    placement: { host: null, labels: {} },
    ...{ startBy: null, redispatch: 0, at: 1, by: 'host', epoch: null, localId: null, reason: null },
    end: { status: 'failed', exitCode: 1, signal: null, endedAt: 1, tail, outputBytes: 1 },
  });
}

test('an end is cut until its message fits in the stream', () => {
  const small = assignment({ A: 'b' }, 'x');
  assert.equal(fitting(small), small);
  const controls = fitting(assignment({ A: 'x'.repeat(90_000) }, '\u0001'.repeat(8_192)));
  assert.deepEqual([controls.end?.tail, controls.spec.env.A?.length], ['', 90_000]);
  const large = fitting(assignment({ A: 'x'.repeat(130_500) }, 'x'.repeat(8_192)));
  assert.deepEqual([large.end?.tail, Object.keys(large.spec.env), large.spec.command], ['', [], 'true']);
});

test('a command gets the named variables and its own identity, and nothing else of the agent', () => {
  const own = { HOME: '/h', PATH: '/bin', LC_ALL: 'C', NATS_PASSWORD: 'x', OUTLIVE_ATTEMPT: '9', PWD: '/p' };
  assert.deepEqual(commandEnvironment(assignment({ A: 'b', PATH: '/mine' }, ''), { KEY: 's' }, own), {
    ...{ NATS_PASSWORD: null, PWD: null, A: 'b', PATH: '/mine', KEY: 's', OUTLIVE_ATTEMPT: '2' },
  });
  assert.throws(() => commandEnvironment(assignment({ A: 'b' }, ''), { A: 's' }, own), {
    code: 'INVALID_ENV',
  });
});
