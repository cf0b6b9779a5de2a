import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TaskSnapshot } from '../../../src/index.ts';
import { untilPrinted } from '../../support/ready.ts';
import { World } from '../../support/world.ts';

type Ending = Pick<TaskSnapshot, 'status' | 'exitCode' | 'statusReason' | 'pipeStatus'>;

const shells = ['bash', 'zsh'];

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
    // What counts is how the command ends.
    ['false | true; true', { status: 'completed', exitCode: 0, statusReason: null, pipeStatus: null }],
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
  test(`a failed build before tee is no success in ${shell}, and its log is whole`, async () => {
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
    const [pending] = await session.pending();
    assert.deepEqual([pending?.statusReason, pending?.pipeStatus], ['hidden_failure', [2, 0]]);
  });
}

test('a pipe character in a comment or in quotes does not change the end of a command that handles a stop', async () => {
  await using world = new World();
  const session = await world.session();
  const server =
    "node -e \"process.on('SIGTERM', () => process.exit(7)); console.log('ready'); setInterval(String, 1e9)\"";
  for (const shell of shells) {
    for (const command of [server, `${server} # a|b`, `${server} 'a|b'`, `echo a | cat; ${server}`]) {
      const task = await session.spawn(command, { shell });
      await untilPrinted(task);
      const { status, exitCode, exitSignal } = await task.kill({ graceMs: 20_000 });
      assert.deepEqual(
        { status, exitCode, exitSignal },
        { status: 'killed', exitCode: 7, exitSignal: null },
        command,
      );
    }
  }
});

test('a command that traps EXIT itself gets no pipeline status, and its line numbers stay right', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('true | nosuchcommand\nnosuchcommand\ntrap "echo bye" EXIT; exit 5');
  const snapshot = await task.wait();
  assert.deepEqual([snapshot.exitCode, snapshot.pipeStatus], [5, null]);
  assert.equal(
    snapshot.output.preview,
    'bash: line 1: nosuchcommand: command not found\nbash: line 2: nosuchcommand: command not found\nbye\n',
  );
});

function hidden(pipeStatus: number[]): Ending {
  return { status: 'completed', exitCode: 0, statusReason: 'hidden_failure', pipeStatus };
}
