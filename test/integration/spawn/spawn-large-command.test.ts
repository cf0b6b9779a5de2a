import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { test } from 'node:test';
import type { OutliveError } from '../../../src/index.ts';
import type { ExitFact } from '../../../src/model/facts.ts';
import { BareShim } from '../../support/bare-shim.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

/** A command of exactly so many bytes, with a here-document so that line ends count. */
function commandOf(bytes: number, last: string): string {
  const [head, foot] = ["cat >/dev/null <<'EOF'\n", `\nEOF\n${last}`];
  return head + 'x'.repeat(bytes - Buffer.byteLength(head) - Buffer.byteLength(foot)) + foot;
}

test('a command of 1 MB runs completely', async () => {
  await using world = new World();
  const session = await world.session();
  const { output, snapshot } = await session.run(commandOf(1_000_000, 'echo the end; exit 9'));
  assert.equal(output.text, 'the end\n');
  assert.equal(snapshot.exitCode, 9);
});

test('a large command has the $0, parameters, line numbers and messages of a short command', async () => {
  await using world = new World();
  const session = await world.session();
  const command = 'echo "$0|$#|$1|$LINENO|$-"\nfoo\necho $LINENO; set -- a b; echo $#';
  const short = await session.run(command);
  const long = await session.run(`${command}\n#${'x'.repeat(1_000_000)}`);
  assert.equal(long.output.text, short.output.text);
  assert.match(short.output.text, /^bash\|0\|\|1\|/);
});

/** On Windows it goes by a variable at first. */
const edges = onWindows
  ? [31_000, 32_000, 33_000]
  : [65_535, 65_536, 65_537, 131_070, 131_071, 131_072, 131_073];

test('nothing changes at the size where a command goes from an argument to a file', async () => {
  await using world = new World();
  const session = await world.session();
  for (const bytes of edges) {
    for (const last of ['echo "$0 $# it"', 'echo "$0 $# üü"']) {
      const { output, snapshot } = await session.run(commandOf(bytes, last));
      const told = `bash 0 ${last.includes('ü') ? 'üü' : 'it'}\n`;
      assert.deepEqual([output.text, snapshot.status], [told, 'completed'], `${bytes} bytes`);
    }
  }
});

test('a command in a file keeps blanks, quotes, backslashes and line ends', async () => {
  await using world = new World();
  const session = await world.session();
  const awkward = String.raw`printf '%s\n' "a  b" 'c"d' \\ "$(printf 'e\nf')" *nowhere* ; echo 'g  \  `;
  const shell = onWindows ? 'sh' : 'dash';
  const short = await session.run(`${awkward}\n\th'\n\n`, { shell });
  const long = await session.run(`${awkward}\n\th'  # ${'x'.repeat(70_000)}\n\n`, { shell });
  assert.equal(long.output.text, short.output.text);
  assert.match(short.output.text, /^a {2}b\nc"d\n\\\ne\nf\n\*nowhere\*\ng {2}\\ {2}\n\th\n$/);
});

test('a snapshot shows the beginning of a command that was put into a file', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(`true # ${'x'.repeat(100_000)}`);
  const { command, status } = await task.wait();
  assert.equal(status, 'completed');
  assert.ok(command.startsWith('true # xxx') && command.length < 10_000);
});

/** Interpreters that evaluate nothing but the argument after -c; a command of so many bytes, and what it prints. */
const interpreters: readonly (readonly [shell: string, commandOf: (bytes: number) => string])[] = [
  ['python3', (bytes) => `import sys\nprint(sys.argv, len("${'x'.repeat(bytes - 43)}"))\n`],
  ['fish', (bytes) => `echo (count $argv) (string length ${'x'.repeat(bytes - 38)})\n`],
];

test(
  'an interpreter of another language gets a command of any size that fits an argument',
  notOnWindows('there is no fish, and no native shim'),
  async () => {
    await using world = new World();
    const session = await world.session();
    for (const [shell, commandOf] of interpreters) {
      const spare = 66_000 - commandOf(66_000).length;
      for (const bytes of [100, 65_536, 65_537, 66_000, 131_071]) {
        const command = commandOf(bytes + spare);
        assert.equal(command.length, bytes);
        const { output, snapshot } = await session.run(command, { shell });
        const length = /x+/.exec(command)?.[0].length;
        const told = shell === 'fish' ? `1 ${length}\n` : `['-c', 'python3'] ${length}\n`;
        assert.deepEqual([output.text, snapshot.exitCode], [told, 0], `${shell}: ${bytes} bytes`);
      }
    }
  },
);

test(
  'a command that is too large for such an interpreter is refused before anything is made',
  notOnWindows('there is no fish, and no native shim'),
  async () => {
    await using world = new World();
    const session = await world.session();
    for (const shell of ['python3', 'fish']) {
      for (const bytes of [131_072, 1_000_000]) {
        await assert.rejects(session.spawn('#'.repeat(bytes), { shell }), (error: OutliveError) => {
          assert.equal(error.code, 'INVALID_COMMAND');
          assert.match(
            error.message,
            new RegExp(`at most 131071 bytes for .*${shell}.*found ${bytes} bytes. Put it`),
          );
          return true;
        });
      }
      // A blank goes in front of it where it would be taken for an option.
      const like = `-${'#'.repeat(131_070)}`;
      if (shell === 'fish') await assert.rejects(session.spawn(like, { shell }), { code: 'INVALID_COMMAND' });
    }
    assert.deepEqual(await session.tasks(), []);
    assert.deepEqual(
      world.files().filter((path) => path.includes('bgb-')),
      [],
    );
  },
);

test(
  'a large command that begins like an option is a command',
  notOnWindows('there is no fish, and no native shim'),
  async () => {
    await using world = new World();
    const session = await world.session();
    for (const bytes of [70_000, 140_000]) {
      for (const shell of ['bash', 'dash', 'zsh', 'mksh']) {
        const { output, snapshot } = await session.run(`-x # ${'x'.repeat(bytes)}`, { shell });
        assert.equal(snapshot.exitCode, 127, shell);
        assert.match(output.text, /-x.*not found|not found.*-x/, shell);
      }
    }
  },
);

test(
  'a pipeline in a large command tells how it ended',
  notOnWindows('outlive asks no shell how its pipeline ended'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const { snapshot } = await session.run(`: ${'x'.repeat(100_000)}\nfalse | true`);
    assert.deepEqual([snapshot.statusReason, snapshot.pipeStatus], ['hidden_failure', [1, 0]]);
  },
);

test(
  'a large command whose file is gone or was replaced before it could run does not run',
  notOnWindows('there is no fish, and no native shim'),
  async () => {
    await using world = new World();
    const shim = await BareShim.in(world.base);
    const start = async (path: string): Promise<ExitFact | undefined> => {
      shim.forget();
      assert.equal(
        await shim.start(shim.request('', { words: ['/bin/sh', '-c', { path, holds: 'word' }, 'sh'] })),
        0,
      );
      await waitFor(() => shim.facts().some(({ fact }) => fact === 'exit'), 'an exit');
      assert.equal(
        shim.facts().some(({ fact }) => fact === 'started'),
        false,
      );
      return shim.facts().find((fact) => fact.fact === 'exit');
    };
    const [missing, link, large] = ['missing', 'link', 'large'].map((name) => `${world.base}/${name}`);
    assert.ok(missing && link && large);
    writeFileSync(large, '#'.repeat(131_072));
    symlinkSync(large, link);
    // What has come in the place of the file would be an empty command, or block the shim; a zero would cut it off.
    const [pipe, zero] = [`${world.base}/pipe`, `${world.base}/zero`];
    execFileSync('mkfifo', [pipe]);
    writeFileSync(zero, 'echo one\0echo two');
    for (const [path, error] of [
      [missing, constants.errno.ENOENT],
      [link, constants.errno.ELOOP],
      [large, constants.errno.E2BIG],
      [pipe, constants.errno.EINVAL],
      [world.base, constants.errno.EISDIR],
      [zero, constants.errno.EINVAL],
    ] as const) {
      const exit = await start(path);
      assert.deepEqual([exit?.ran, exit?.errno], [false, error], path);
    }
  },
);
