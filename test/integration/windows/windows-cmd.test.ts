import assert from 'node:assert/strict';
import { windowsTest } from '../../support/windows-test.ts';
import { World } from '../../support/world.ts';

const ends: Record<string, { exitCode: number; output?: RegExp }> = {
  'exit 21': { exitCode: 21 },
  'exit /b 77': { exitCode: 77 },
  // Node says 4294967295.
  'exit -1': { exitCode: -1 },
  'no-such-program': { exitCode: 9009, output: /no-such-program/ },
  'echo one& exit 3': { exitCode: 3, output: /^one\r\n$/ },
  'cmd /c exit 4 && echo no': { exitCode: 4 },
  'cmd /c exit 4 || cmd /c exit 8': { exitCode: 8 },
  'echo needle| findstr needle': { exitCode: 0, output: /^needle\s*\r\n$/ },
  'echo "a & b" c^&d !OS! %OS%': { exitCode: 0, output: /^"a & b" c&d !OS! Windows_NT\r\n$/ },
  'echo oops 1>&2& exit 5': { exitCode: 5, output: /^oops\s*\r\n$/ },
  'echo first\necho second\nexit 6': { exitCode: 6, output: /^first\r\nsecond\r\n$/ },
};

for (const [command, { exitCode, output = /^$/ }] of Object.entries(ends)) {
  windowsTest(`cmd: ${JSON.stringify(command)} ends with ${exitCode}`, async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn(command, { shell: 'cmd' });
    const snapshot = await task.wait();
    assert.equal(snapshot.exitCode, exitCode);
    assert.equal(snapshot.status, exitCode === 0 ? 'completed' : 'failed');
    assert.match((await task.tail()).text, output);
  });
}

windowsTest('cmd: the command sees its environment, the cookie, and nothing of the wrapper', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('set', { shell: 'cmd', env: { MINE: 'a b & ü' } });
  await task.wait();
  const lines = (await task.tail()).text.split('\r\n');
  assert.ok(lines.includes('MINE=a b & ü') || lines.some((line) => line.startsWith('MINE=a b & ')));
  assert.deepEqual(
    lines
      .filter((line) => /outlive_/i.test(line) && !line.startsWith('OUTLIVE_TEST'))
      .map((line) => line.split('=')[0]),
    ['OUTLIVE_TASK'],
  );
});

windowsTest(
  'cmd: a folder with blanks and non-ASCII letters is the working directory; stderr is separate',
  async () => {
    await using world = new World();
    const cwd = `${world.base}/a folder, ü!`;
    const { mkdirSync } = await import('node:fs');
    mkdirSync(cwd);
    const session = await world.session();
    const task = await session.spawn('cd & echo oops 1>&2', { shell: 'cmd', cwd, separate: true });
    await task.wait();
    assert.match((await task.tail()).text, /a folder, .+!\r\n$/);
    assert.match((await task.tail({ stream: 'stderr' })).text, /^oops/);
  },
);
