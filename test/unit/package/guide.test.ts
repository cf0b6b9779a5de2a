import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesUnder, root } from '../../support/repository.ts';
import { printsAsSaid, samplesOf } from '../../support/samples.ts';

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

test('each guide begins with its problem, and leads to the one before and the one after it', () => {
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

test('every block of a page whose samples are run says what it is', () => {
  const languages = ['sh', 'ts', 'json', 'text', 'mermaid'];
  const others = [...tested, 'docs/guide/README.md']
    .flatMap(samplesOf)
    .filter(({ lang }) => !languages.includes(lang))
    .map(({ page, line }) => `${page}:${line}`);
  assert.deepEqual(others, []);
});

test('a note to the test before a sample is one that the test knows', () => {
  const known =
    /^(?:exits \d+|when \S+ has ended|in a terminal: .+|install|not run: .{10,}|agents:.*|verbs:.*|)$/;
  const notes = tested
    .flatMap(samplesOf)
    .flatMap(({ note, page, line }) => note.split('; ').map((part) => ({ part, page, line })));
  assert.deepEqual(
    notes.filter(({ part }) => !known.test(part)),
    [],
  );
});

test('what a program prints is compared with what its page says', () => {
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

test('the list of decisions has each of them, by its number', () => {
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
