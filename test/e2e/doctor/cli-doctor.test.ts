import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type CallOptions, CommandLine, objects, type Snapshot } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';

/** What the doctor finds wrong, but for what is so of the tester's own disk; and its exit status. */
async function found(
  cli: CommandLine,
  words: string[] = [],
  options: CallOptions = {},
): Promise<[number | null, Snapshot[]]> {
  const { status, stdout, stderr } = await cli.call(['doctor', '--json', ...words], options);
  assert.equal(stderr, '');
  const ofTester = ['disk', 'file-system', 'events', 'sandbox'];
  return [status, objects(stdout).filter(({ level, check }) => level !== 'ok' && !ofTester.includes(check))];
}

test('doctor reports a store that does not exist yet, and one in which all is well', async () => {
  await using cli = new CommandLine();
  const none = await cli.run('doctor');
  assert.equal(none.status, 0);
  assert.match(none.stdout, /^(?:\w:|\/).*\nok {7}store: .* does not exist yet; the first task creates it\n/);
  assert.ok(!existsSync(cli.dir));
  await cli.ended('true');
  assert.deepEqual(await found(cli), [0, []]);
  const checks = new Set(objects((await cli.run('doctor', '--json')).stdout).map(({ check }) => check));
  const shim = onWindows ? '' : `shim orphans locks ${process.platform === 'linux' ? 'sandbox ' : ''}`;
  const append = onWindows ? '' : 'append ';
  const [known] = [
    `store modes file-system disk ${append}size events strays shell ${shim}records elsewhere stops leftovers completions lost`,
  ];
  assert.equal([...checks].join(' '), known);
});

test(
  '--mend closes a store and files that others can read',
  notOnWindows('files have no modes there'),
  async () => {
    await using cli = new CommandLine();
    const log = cli.logOf(await cli.ended('true'));
    for (const [path, mode] of [
      [cli.dir, 0o755],
      [dirname(log), 0o750],
      [log, 0o644],
    ] as const)
      chmodSync(path, mode);
    const [status, wrong] = await found(cli);
    assert.equal(status, 1);
    assert.deepEqual(
      wrong.map(({ check, level, canMend, mended }) => [check, level, canMend, mended]),
      [
        ['store', 'problem', true, null],
        ['modes', 'problem', true, null],
      ],
    );
    assert.match(wrong[0]?.message, /can be entered by others \(mode 0755\)$/);
    assert.match(wrong[1]?.message, /^2 files in the store can be read by others: \//);
    // Looking changes nothing.
    assert.equal(statSync(log).mode & statSync(cli.dir).mode & 0o777, 0o644);
    const [mended, after] = await found(cli, ['--mend']);
    assert.equal(mended, 0);
    assert.ok(after.every((finding) => typeof finding.mended === 'string'));
    assert.deepEqual(
      [cli.dir, dirname(log), log].map((path) => statSync(path).mode & 0o777),
      [0o700, 0o700, 0o600],
    );
    assert.deepEqual(await found(cli), [0, []]);
  },
);

test(
  'a link in the store is a problem that --mend does not fix',
  notOnWindows('links need a privilege'),
  async () => {
    await using cli = new CommandLine();
    const log = cli.logOf(await cli.ended('true'));
    symlinkSync('/etc/passwd', join(dirname(log), 'link'));
    const [status, [link, ...more]] = await found(cli, ['--mend']);
    assert.deepEqual(
      [status, link?.check, link?.level, link?.canMend, more.length],
      [1, 'modes', 'problem', false, 0],
    );
    assert.match(link?.message, /^1 file in the store is a link or belongs to another user: .*\/link$/);
  },
);

test(
  'a store of another user is reported, and nothing in it is read or changed',
  notOnWindows('files have no owners that Node knows there'),
  async () => {
    await using cli = new CommandLine();
    await cli.ended('true');
    chownSync(cli.dir, 12_345, 12_345);
    const [status, wrong] = await found(cli, ['--mend']);
    assert.deepEqual([status, wrong.length, wrong[0]?.canMend], [1, 1, false]);
    assert.match(wrong[0]?.message, /belongs to user 12345, and you are user 0$/);
    writeFileSync(join(cli.base, 'file'), '');
    const file = await cli.run('doctor', '--store', join(cli.base, 'file'));
    assert.equal(file.status, 1);
    assert.match(file.stdout, /^problem {2}store: .* is not a directory$/m);
  },
);

test('a missing shell and a store of a newer version are problems', async () => {
  await using cli = new CommandLine();
  await cli.ended('true');
  const nowhere = onWindows ? 'C:\\nowhere\\fish.exe' : '/nowhere/fish';
  const [status, wrong] = await found(cli, [], { env: { SHELL: nowhere } });
  assert.deepEqual([status, wrong.map(({ check }) => check)], [1, ['shell']]);
  assert.ok(wrong[0]?.message.startsWith(`${nowhere}, your $SHELL, does not exist`));
  assert.deepEqual(await found(cli, [], { env: { SHELL: onWindows ? process.env.ComSpec : '/bin/sh' } }), [
    0,
    [],
  ]);
  writeFileSync(join(cli.dir, 'store.json'), '{"outlive":"store","version":99}');
  const [newer, [first]] = await found(cli);
  assert.equal(newer, 1);
  assert.match(first?.message, /^the store cannot be opened: .*99/);
});

test('files that crashed processes left are a warning; --mend removes them', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('true', '-s', 'over');
  const session = dirname(dirname(cli.logOf(taskId)));
  const strays = [
    join(cli.dir, 'store.json.0123456789ab.tmp'),
    join(session, 'session.json.0123456789ab.tmp'),
  ];
  for (const path of strays) writeFileSync(path, '', { mode: 0o600 });
  const fresh = await found(cli);
  for (const path of strays) utimesSync(path, 1, 1);
  assert.deepEqual(fresh, [0, []]);
  const [status, [stray, ...more]] = await found(cli);
  assert.deepEqual([status, stray?.check, stray?.level, more.length], [0, 'strays', 'warning', 0]);
  for (const path of strays) assert.ok(stray?.message.includes(path), stray?.message);
  assert.ok(strays.every((path) => existsSync(path)));
  assert.equal((await found(cli, ['--mend']))[0], 0);
  assert.ok(strays.every((path) => !existsSync(path)));
});
