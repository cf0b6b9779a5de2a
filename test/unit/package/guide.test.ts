import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesUnder, root } from '../../support/repository.ts';
import { printsAsSaid, type Sample, samplesOf } from '../../support/samples.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const guides = [...read('docs/guide/README.md').matchAll(/^\| \[([^\]]+)\]\(([\w-]+\.md)\) \|/gm)].map(
  ([, title = '', file = '']) => ({ title, file }),
);
const tested = filesUnder('test/e2e/guide', '.test.ts').flatMap((file) =>
  [...read(file).matchAll(/'([\w./-]+\.md)'/g)].map(([, page = '']) => page),
);

test('the list of guides has every guide, once', () => {
  const listed = guides.map(({ file }) => file).sort();
  assert.ok(listed.length >= 12);
  assert.deepEqual(
    listed,
    readdirSync(join(root, 'docs/guide'))
      .filter((name) => name.endsWith('.md') && name !== 'README.md')
      .sort(),
  );
});

test('each guide begins with its problem, and links to the previous and the next one', () => {
  const index = { title: 'Guides', file: 'README.md' };
  for (const [place, { file }] of guides.entries()) {
    const before = guides[place - 1] ?? index;
    const after = guides[place + 1] ?? index;
    const page = read(`docs/guide/${file}`);
    assert.match(page, /^# [^\n]+\n\n\*\*The problem\.\*\* /, file);
    const links = `Previous: [${before.title}](${before.file}) · All: [guides](README.md) · Next: [${after.title}](${after.file})\n`;
    assert.equal(page.slice(page.lastIndexOf('\n---\n\n') + 6), links, file);
  }
});

test('the samples of every guide are run by a test, once', () => {
  const pages = guides.map(({ file }) => `docs/guide/${file}`);
  assert.deepEqual(tested.filter((page) => page.startsWith('docs/guide/')).sort(), pages.sort());
});

/** Pages and languages that the tests of pages leave to another test. */
const othersTests: readonly { page: string; langs: readonly string[]; test: string }[] = [
  { page: 'docs/notices.md', langs: ['sh'], test: 'test/e2e/cli/notices-page.test.ts' },
  {
    page: 'docs/agents.md',
    langs: ['json', 'toml', 'markdown'],
    test: 'test/unit/package/agents-page.test.ts',
  },
  { page: 'docs/cli.md', langs: ['console'], test: 'test/e2e/guide/cli-examples.test.ts' },
];

test('every sample of every page is tested, and all other blocks are output or pictures', () => {
  const pages = readdirSync(root).filter((name) => name.endsWith('.md'));
  pages.push(...['docs', 'examples'].flatMap((folder) => filesUnder(folder, '.md')));
  assert.ok(pages.length > 60);
  assert.deepEqual(pages.flatMap(untested), []);
});

test('an untested sample is found, and so is a block without a language', () => {
  const block = { line: 1, text: '', note: '', lead: '', prints: null };
  const isTested = (page: string, lang: string): boolean => isCovered({ ...block, page, lang });
  assert.equal(isTested('docs/api.md', 'ts'), true);
  assert.equal(isTested('docs/notices.md', 'sh'), true);
  assert.equal(isTested('docs/decisions/README.md', 'text'), true);
  assert.equal(isTested('docs/decisions/README.md', 'ts'), false);
  assert.equal(isTested('docs/notices.md', 'ts'), false);
  assert.equal(isTested('docs/api.md', 'toml'), false);
  assert.equal(isTested('docs/api.md', ''), false);
});

test('the tests that are named here for other pages read those pages', () => {
  for (const { page, test } of othersTests) assert.ok(read(test).includes(page.split('/')[1] ?? ''), test);
});

/** The samples of a page that no test runs. */
function untested(page: string): string[] {
  return samplesOf(page)
    .filter((sample) => !isCovered(sample))
    .map((sample) => `${placeOf(sample)} ${sample.lang || 'says no language'}`);
}

function placeOf({ page, line }: Sample): string {
  return `${page}:${line}`;
}

function isCovered({ page, lang }: Sample): boolean {
  if (['text', 'mermaid'].includes(lang)) return true;
  if (othersTests.some((each) => each.page === page && each.langs.includes(lang))) return true;
  return tested.includes(page) && ['sh', 'ts', 'json'].includes(lang);
}

test('the test knows every note before a sample', () => {
  const known =
    /^(?:exits \d+|when \S+ has ended|in a terminal: .+|install|not run: .{10,}|compiled: .{10,}|its \w+:|agents:.*|verbs:.*|)$/;
  const notes = tested
    .flatMap(samplesOf)
    .flatMap(({ note, page, line }) => note.split('; ').map((part) => ({ part, page, line })));
  assert.deepEqual(
    notes.filter(({ part }) => !known.test(part)),
    [],
  );
});

/** Samples that are compiled alone, or not at all. A new one is a decision: most samples can be run. */
const leftOut: readonly string[] = [
  'CONTRIBUTING.md: not run: it needs a debug build and gdb',
  'README.md: not run: it is run by the tests of the scene',
  'docs/acp.md: compiled: it needs an agent',
  'docs/acp.md: compiled: it needs an editor',
  'docs/adapters.md: compiled: it needs a model',
  'docs/adapters.md: compiled: pi is not installed here, and test:agents runs the extension in it',
  'docs/adapters.md: compiled: the SDK is not installed here, and test:agents runs the example with it',
  'docs/api.md: not run: it needs a fleet',
  'docs/comparison.md: not run: it takes minutes, and needs the other systems',
  'docs/debugging.md: not run: it needs a clone and a C compiler',
  'docs/debugging.md: not run: it needs gdb and a debug build',
  'docs/debugging.md: not run: it writes files of many megabytes, and needs a program of yours',
  'docs/debugging.md: not run: strace is not on every machine',
  'docs/guide/agents-by-mcp.md: not run: it needs a fleet, and test/e2e/fleet has a test with a real server',
  'docs/guide/dashboard.md: not run: it needs another machine',
  'docs/guide/dashboard.md: not run: it serves until Ctrl-C, and test/e2e/cli/cli-ui.test.ts opens it',
  'docs/guide/fleet.md: not run: it needs other machines, and has tests of its own with a real server on loopback',
  'docs/guide/other-machines.md: not run: it needs other machines, and has tests of its own with an sshd on loopback',
  'docs/guide/top.md: not run: it draws until q is pressed, and has tests of its own',
  'docs/mcp.md: compiled: it serves until it is closed, and test/integration/mcp talks to such a server',
  'docs/mcp.md: not run: it needs a fleet, and test/e2e/fleet has a test with a real server',
  'docs/performance.md: not run: it takes minutes',
  'docs/reliability.md: not run: it takes hours',
  'docs/setup.md: not run: it asks a person, and test/e2e/setup answers',
];

test('the samples that are not run are listed with their reasons', () => {
  const found = tested.flatMap(samplesOf).filter(({ note }) => /^(?:not run|compiled): /.test(note));
  assert.deepEqual([...new Set(found.map(({ page, note }) => `${page}: ${note}`))].sort(), leftOut);
});

test('no program of a guide has `await using`, which Node 20 and 22 do not read', () => {
  const found = ['README.md', ...guides.map(({ file }) => `docs/guide/${file}`)]
    .flatMap(samplesOf)
    .filter(({ lang, text }) => lang === 'ts' && /^\s*await using /m.test(text));
  assert.deepEqual(found.map(placeOf), []);
});

test('the output of a program is compared with its page', () => {
  const said = 'bgb-aaaaaaaaaaaa runs for 2m\nat port 99';
  assert.equal(printsAsSaid('bgb-0123456789ab runs for 3.1s\nat port 80\n', said), true);
  assert.equal(printsAsSaid('a\nb\nc\nd\n', 'a\n...\nd'), true);
  assert.equal(printsAsSaid('a\nd\n', 'a\n...\nd'), true);
  assert.equal(printsAsSaid('node v20.1\n', 'node ...'), true);
  assert.equal(printsAsSaid('a\nb\nc\n', 'a\n...\nd'), false);
  assert.equal(printsAsSaid('a\nb\n', 'a'), false);
  assert.equal(printsAsSaid('exit 3\n', 'exit 4'), false);
  assert.equal(printsAsSaid('aXb\n', 'a.b'), false);
});

test('the picture of the first minute shows the commands that its script types, in both themes, and is small', () => {
  const picture = read('docs/figures/first-minute.svg');
  const [, list = ''] = /const commands = \[\n(.*?)\n\];/s.exec(read('scripts/first-minute.mjs')) ?? [];
  const commands = [...list.matchAll(/^ {2}(['"])(.*)\1,$/gm)].map(([, , command = '']) => command);
  assert.equal(commands.length, 5);
  const shown = picture
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&gt;', '>')
    .replaceAll('&lt;', '<');
  for (const command of commands) assert.ok(shown.includes(`$ ${command}`), command);
  assert.match(picture, /prefers-color-scheme:dark/);
  assert.match(picture, /prefers-reduced-motion/);
  assert.ok(picture.length < 40_000);
});

test('the list of decisions has each decision, by number', () => {
  const listed = [...read('docs/decisions/README.md').matchAll(/^- (\d+): \[.+\]\((.+)\)$/gm)].map(
    ([, number = '', file = '']) => ({ number: number.padStart(4, '0'), file }),
  );
  const files = readdirSync(join(root, 'docs/decisions')).filter((name) => /^\d{4}-/.test(name));
  assert.deepEqual(
    listed.map(({ file }) => file),
    files.sort(),
  );
  for (const { number, file } of listed) assert.equal(file.slice(0, 4), number);
});
