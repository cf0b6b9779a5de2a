import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { CommandLine } from '../../support/command-line.ts';
import { installedPackage } from '../../support/packed.ts';
import { onWindows } from '../../support/processes.ts';
import { root } from '../../support/repository.ts';
import { loadingFirst, notOnBun } from '../../support/runtime.ts';
import { waitFor } from '../../support/world.ts';

const installed = onWindows ? root : join(installedPackage(), 'node_modules', 'outlive');
const bundle = join(installed, 'dist', 'bin', 'program.cjs');
const skip = onWindows
  ? 'the home of a test is no folder for caches there'
  : notOnBun('Bun keeps compiled code by itself, or not at all').skip;

const runFile = promisify(execFile);

/** The program with the cache that its first start has made. */
class Cached extends CommandLine {
  readonly folder = join(this.base, '.cache', 'outlive');

  static async started(): Promise<Cached> {
    const cli = new Cached();
    await cli.starts();
    return cli;
  }

  async starts(program = join(installed, 'dist', 'bin', 'outlive.cjs')): Promise<void> {
    const found = await runFile(process.execPath, [program, '--version'], { env: this.environment() });
    assert.deepEqual(found, { stdout: '0.1.0\n', stderr: '' });
  }

  codeFiles(): string[] {
    return readdirSync(this.folder)
      .filter((name) => name.startsWith('program'))
      .sort();
  }

  /** The one that is whole: a draft is written beside it, and then takes its place. */
  codeFile(): string {
    const [name = '', ...others] = this.codeFiles().filter((file) => !file.endsWith('.draft'));
    assert.deepEqual(others, []);
    return join(this.folder, name);
  }
}

test('the second start uses the code that the first one compiled', { skip }, async () => {
  await using cli = await Cached.started();
  const before = readFileSync(cli.codeFile());
  assert.ok(before.length > 50_000, `${before.length} bytes`);
  await cli.starts();
  assert.deepEqual(readFileSync(cli.codeFile()), before);
});

const damages: Record<string, (file: string, bytes: Buffer) => void> = {
  'that is empty': (file) => truncateSync(file, 0),
  'that is half there': (file, bytes) => truncateSync(file, bytes.length / 2),
  'with other bytes in the middle': (file, bytes) => {
    writeFileSync(file, bytes.fill(0x5a, bytes.length / 2, bytes.length / 2 + 4096));
  },
  'with one other bit': (file, bytes) => {
    const at = Math.floor(bytes.length / 3);
    writeFileSync(file, bytes.fill((bytes[at] ?? 0) ^ 1, at, at + 1));
  },
  'of another length than it says': (file, bytes) => writeFileSync(file, Buffer.concat([bytes, bytes])),
  'of which V8 knows nothing': (file, bytes) => writeFileSync(file, bytes.fill(0, 12, 40)),
};
for (const [what, damage] of Object.entries(damages)) {
  test(`a cache ${what} is written again`, { skip }, async () => {
    await using cli = await Cached.started();
    const file = cli.codeFile();
    const { length } = readFileSync(file);
    damage(file, readFileSync(file));
    await cli.starts();
    const renewed = readFileSync(file);
    assert.ok(Math.abs(renewed.length - length) < length / 10, `${renewed.length} bytes for ${length}`);
    await cli.starts();
    assert.deepEqual(readFileSync(file), renewed);
  });
}

test('the first start of each verb adds the code that it needs; an unknown or failing verb adds nothing', {
  skip,
}, async () => {
  await using cli = await Cached.started();
  const content = (): string => readFileSync(cli.codeFile(), 'latin1');
  const seen = new Set([content()]);
  for (const verb of ['ps', 'completions', 'prune']) {
    for (const words of [
      [verb, '--help'],
      [verb, '--nonsense'],
      [verb, '--store', cli.path],
    ]) {
      await cli.call(words);
      assert.ok(seen.has(content()), `${words} added something`);
    }
    await cli.call([verb]);
    assert.ok(!seen.has(content()), `${verb} added nothing`);
    seen.add(content());
    await cli.call([verb]);
    assert.ok(seen.has(content()), `${verb} added something again`);
  }
  const all = content();
  for (const words of [['nonsense'], ['--json'], ['../ps'], ['constructor'], [''], ['ps']])
    await cli.call(words);
  assert.equal(content(), all);
});

test('a long-running process writes what its start compiled before it ends', { skip }, async () => {
  await using cli = await Cached.started();
  const before = readFileSync(cli.codeFile());
  cli.start(['completions', '--follow']);
  await waitFor(() => !readFileSync(cli.codeFile()).equals(before), 'the code of the verb');
});

test('a cache that cannot be read or written changes nothing', { skip }, async () => {
  await using cli = await Cached.started();
  const file = cli.codeFile();
  rmSync(file);
  mkdirSync(file);
  await cli.starts();
  assert.deepEqual(readdirSync(file), []);
});

test('several first starts at once leave the cache whole', { skip }, async () => {
  await using cli = await Cached.started();
  const file = cli.codeFile();
  rmSync(file);
  await Promise.all(Array.from({ length: 6 }, () => cli.starts()));
  const made = readFileSync(cli.codeFile());
  await cli.starts();
  assert.deepEqual(readFileSync(file), made);
});

test('two versions keep their code side by side', { skip }, async () => {
  await using cli = await Cached.started();
  const other = join(cli.base, 'other');
  cpSync(installed, other, { recursive: true });
  const entry = join(other, 'dist', 'bin', 'outlive.cjs');
  const hash = /program-([0-9a-f]+)/.exec(cli.codeFile())?.[1] ?? '';
  // A later build has another hash, and another program.
  writeFileSync(entry, readFileSync(entry, 'utf8').replaceAll(hash, 'f'.repeat(hash.length)));
  const later = join(other, 'dist', 'bin', 'program.cjs');
  writeFileSync(later, `${readFileSync(later, 'utf8')}\n// later\n`);
  await Promise.all([cli.starts(), cli.starts(entry), cli.starts(), cli.starts(entry)]);
  assert.equal(cli.codeFiles().length, 2);
  const [one, two] = cli.codeFiles().map((name) => readFileSync(join(cli.folder, name)));
  await Promise.all([cli.starts(), cli.starts(entry)]);
  assert.deepEqual(
    cli.codeFiles().map((name) => readFileSync(join(cli.folder, name))),
    [one, two],
  );
});

test('code that older versions compiled is removed after 30 days, and nothing else', { skip }, async () => {
  await using cli = await Cached.started();
  const bundles = ['program', 'program-with-mcp', 'program-with-more', 'program-with-fleet'];
  const old = bundles.map((name) => `${name}-0123456789abcdef-1.code`);
  const names = [...old, 'program-0123456789abcdef-2.code', 'notes-0-1.code'];
  for (const name of names) writeFileSync(join(cli.folder, name), '');
  const monthAgo = Date.now() / 1_000 - 31 * 86_400;
  for (const name of [...old, 'notes-0-1.code']) utimesSync(join(cli.folder, name), monthAgo, monthAgo);
  // The first start of another verb writes.
  await cli.call(['completions']);
  const left = readdirSync(cli.folder).filter((name) => names.includes(name));
  assert.deepEqual(left.sort(), ['notes-0-1.code', 'program-0123456789abcdef-2.code']);
});

test('the stack of a bug names the lines of our sources', async () => {
  await using cli = new CommandLine();
  const plant = join(cli.base, 'plant.cjs');
  writeFileSync(plant, "String.prototype.padEnd = () => { throw new TypeError('planted'); };");
  const env = loadingFirst({}, plant);
  const taskId = await cli.spawn('true');
  const { status, stderr } = await cli.call(['show', taskId], { env });
  assert.equal(status, 125);
  assert.match(stderr, /^outlive: planted\noutlive: this is a defect/);
  const sources = [...stderr.matchAll(/(\/\S+\/src\/\S+\.ts):(\d+):\d+/g)];
  assert.ok(sources.length > 1, stderr);
  for (const [, file = '', line] of sources) {
    const text = readFileSync(file, 'utf8').split('\n');
    assert.ok(text.length >= Number(line), `${file}:${line}`);
  }
  assert.match(stderr, /src\/cli\/show\.ts/);
});

test('the licence of each package that is bundled is in the package', () => {
  const licenses = readFileSync(join(installed, 'dist', 'third-party-licenses.txt'), 'utf8');
  for (const name of ['commander', 'ms', 'zod', '@modelcontextprotocol/server', 're2js'])
    assert.match(licenses, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(\\S+\\)$`, 'm'));
  const copyrights = licenses.split('-'.repeat(80)).filter((text) => /copyright|permission/i.test(text));
  assert.equal(copyrights.length, licenses.split('-'.repeat(80)).length);
  assert.ok(existsSync(bundle));
});

test('each verb finds its code, whatever words come after it', async () => {
  await using cli = new CommandLine();
  // The bundles are chosen by words that may as well be names and values.
  for (const [words, says] of [
    [['setup', '--plugin', 'mcp'], /expected an agent with --plugin/],
    [['top', '-s', 'mcp'], /expected stdin and stdout to be a terminal|expected Linux or macOS/],
    [['ui', '--token-file', 'mcp', '--no-open'], /expected a readable file with the token/],
    [['mcp', '--http', '--token-file', 'top'], /expected a readable file with the token/],
    [['run', '-n', 'top', '--wait', 'echo printed'], /printed/],
    [['show', 'setup'], /found "setup"/],
  ] as const) {
    const { stdout, stderr } = await cli.run(...words);
    assert.match(stdout + stderr, says, words.join(' '));
  }
});
