import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

// Programs that print a line and do not end. Without the option all of them keep it to themselves: the last
// test shows that.
const programs = {
  'grep, which uses the output of C': '(echo one; exec sleep 1000) | grep one',
  'sed, in the middle of a pipeline': '(echo one; exec sleep 1000) | sed s/o/o/ | cat',
  'Python, which has buffers of its own': `/usr/bin/python3 -c 'import time; print("one"); time.sleep(1000)'`,
};

for (const [name, command] of Object.entries(programs)) {
  test(
    `a line shows before the end: ${name}`,
    notOnWindows('there is no stdbuf, and no Python'),
    async () => {
      await using world = new World();
      const session = await world.session();
      const task = await session.spawn(command, { unbuffered: true });
      const { cause, snapshot } = await task.waitFor({ pattern: 'one', timeoutMs: 20_000 });
      assert.deepEqual([cause, snapshot.status], ['pattern', 'running']);
    },
  );
}

test('variables that the user has set or removed do not change, nor does anything else', async () => {
  await using world = new World();
  const session = await world.session();
  const show =
    'echo "$PYTHONUNBUFFERED,$GFORTRAN_UNBUFFERED_PRECONNECTED,$_STDBUF_O" $0; nosuchcommand; exit 3';
  const run = async (env: Record<string, string | null>, unbuffered: boolean): Promise<string> => {
    const { snapshot, output } = await session.run(show, { env, unbuffered, shell: 'bash' });
    assert.equal(snapshot.exitCode, 3);
    return output.text;
  };
  const error = 'bash: line 1: nosuchcommand: command not found\n';
  const clean = { PYTHONUNBUFFERED: null, _STDBUF_O: null };
  assert.equal(await run(clean, false), `,, bash\n${error}`);
  // Removed by the user: that counts as well.
  assert.equal(await run(clean, true), `,1, bash\n${error}`);
  const set = { PYTHONUNBUFFERED: '', GFORTRAN_UNBUFFERED_PRECONNECTED: 'n', _STDBUF_O: '0' };
  assert.equal(await run(set, true), `,n,0 bash\n${error}`);
  // What stdbuf sets; there is none on Windows.
  assert.equal(await run({}, true), `1,1,${onWindows ? '' : 'L'} bash\n${error}`);
});

test('a shell of any kind, and a command in a file, run as without the option', async () => {
  await using world = new World();
  const session = await world.session();
  for (const shell of onWindows ? ['sh', 'bash'] : ['sh', 'bash', 'zsh']) {
    const long = `: ${'x'.repeat(70_000)}\n`;
    for (const command of ['echo $0; exit 4', `${long}echo $0; exit 4`]) {
      const { snapshot, output } = await session.run(command, { shell, unbuffered: true });
      assert.deepEqual([snapshot.exitCode, output.text], [4, `${shell}\n`]);
    }
  }
});

test(
  'without the option the same programs hold back their lines',
  notOnWindows('there is no stdbuf, and no Python'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const env = { PYTHONUNBUFFERED: null };
    const spawned = Object.values(programs).map((command) => session.spawn(command, { env }));
    const { first } = await session.waitAny(await Promise.all(spawned), { pattern: 'one', timeoutMs: 300 });
    assert.equal(first, null);
  },
);

test('a value that is not a boolean is refused', async () => {
  await using world = new World();
  const session = await world.session();
  await assert.rejects(session.spawn('true', { unbuffered: 1 as never }), { code: 'INVALID_ARGUMENT' });
  assert.deepEqual(world.taskIds(), []);
});
