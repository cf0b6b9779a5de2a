import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onWindows } from '../support/processes.ts';
import { World } from '../support/world.ts';

/** A command of exactly so many bytes, with a here-document so that line ends count. */
function commandOf(bytes: number, last: string): string {
  const [head, foot] = ["cat >/dev/null <<'EOF'\n", `\nEOF\n${last}`];
  return head + 'x'.repeat(bytes - Buffer.byteLength(head) - Buffer.byteLength(foot)) + foot;
}

test('a command of 1 MB runs whole', async () => {
  await using world = new World();
  const session = await world.session();
  const { output, snapshot } = await session.run(commandOf(1_000_000, 'echo the end; exit 9'));
  assert.equal(output.text, 'the end\n');
  assert.equal(snapshot.exitCode, 9);
});

test('its name, parameters, line numbers and messages are those of a short command', async () => {
  await using world = new World();
  const session = await world.session();
  const command = 'echo "$0|$#|$1|$LINENO|$-"\nfoo\necho $LINENO; set -- a b; echo $#';
  const short = await session.run(command);
  const long = await session.run(`${command}\n#${'x'.repeat(1_000_000)}`);
  assert.equal(long.output.text, short.output.text);
  assert.match(short.output.text, /^bash\|0\|\|1\|/);
});

/** On Windows it goes by a variable at first. */
const edges = onWindows ? [31_000, 32_000, 33_000] : [65_535, 65_536, 65_537, 131_071, 131_072, 131_073];

test('nothing changes where a command goes from an argument to a file', async () => {
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

test('a snapshot shows the beginning of a command that is in a file', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(`true # ${'x'.repeat(100_000)}`);
  const { command, status } = await task.wait();
  assert.equal(status, 'completed');
  assert.ok(command.startsWith('true # xxx') && command.length < 10_000);
});
