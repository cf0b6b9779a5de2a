import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TaskSnapshot } from '../../src/index.ts';
import { onWindows } from '../support/processes.ts';
import { World } from '../support/world.ts';

type Ending = Pick<TaskSnapshot, 'status' | 'exitCode' | 'statusReason' | 'pipeStatus'>;

/** Git for Windows has no zsh. */
const shells = onWindows ? ['bash'] : ['bash', 'zsh'];

for (const shell of shells) {
  const cases: [command: string, ending: Ending][] = [
    ['false | true', hidden([1, 0])],
    ['sh -c "exit 3" | cat | cat', hidden([3, 0, 0])],
    ['true | true', { status: 'completed', exitCode: 0, statusReason: null, pipeStatus: [0, 0] }],
    ['yes | head -n 1', { status: 'completed', exitCode: 0, statusReason: null, pipeStatus: [141, 0] }],
    ['true | sh -c "exit 4"', { status: 'failed', exitCode: 4, statusReason: null, pipeStatus: [0, 4] }],
    ['false || true', { status: 'completed', exitCode: 0, statusReason: null, pipeStatus: null }],
    ['IFS=:; set -u; false | true', hidden([1, 0])],
    ['true && false | true', hidden([1, 0])],
    ['false |\n  true', hidden([1, 0])],
    [
      'set -o pipefail; false | true',
      { status: 'failed', exitCode: 1, statusReason: null, pipeStatus: [1, 0] },
    ],
    // What counts is the last pipeline.
    ['false | true; true', { status: 'completed', exitCode: 0, statusReason: null, pipeStatus: [0] }],
  ];
  test(`a pipeline in ${shell} tells how each segment ended`, async () => {
    await using world = new World();
    const session = await world.session("it's a session");
    for (const [command, ending] of cases) {
      const task = await session.spawn(command, { shell });
      const { status, exitCode, statusReason, pipeStatus } = await task.wait();
      assert.deepEqual({ status, exitCode, statusReason, pipeStatus }, ending, command);
    }
  });
}

for (const shell of shells) {
  test(`a build that fails in front of tee is no success in ${shell}, and its log is whole`, async () => {
    await using world = new World();
    const session = await world.session();
    const make = 'make() { echo building; echo "no rule" >&2; return 2; }';
    const { snapshot } = await session.run(`${make}; make 2>&1 | tee build.log`, { cwd: world.base, shell });
    const { status, exitCode, statusReason, pipeStatus } = snapshot;
    assert.deepEqual({ status, exitCode, statusReason, pipeStatus }, hidden([2, 0]));
    assert.equal(readFileSync(join(world.base, 'build.log'), 'utf8'), 'building\nno rule\n');
    // Whoever is told of the end is told of that.
    const task = await session.spawn(`${make}; make | tee build.log`, {
      cwd: world.base,
      shell,
      unbuffered: true,
    });
    await task.wait({ ack: false });
    const [owed] = await session.pending();
    assert.deepEqual([owed?.statusReason, owed?.pipeStatus], ['hidden_failure', [2, 0]]);
  });
}

test('taking the note changes neither line numbers nor the exit code of an exit trap', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('true | nosuchcommand\nnosuchcommand\ntrap "echo bye" EXIT; exit 5');
  const snapshot = await task.wait();
  assert.equal(snapshot.exitCode, 5);
  assert.equal(
    snapshot.output.preview,
    'bash: line 1: nosuchcommand: command not found\nbash: line 2: nosuchcommand: command not found\nbye\n',
  );
});

function hidden(pipeStatus: number[]): Ending {
  return { status: 'completed', exitCode: 0, statusReason: 'hidden_failure', pipeStatus };
}
