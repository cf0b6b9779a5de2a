import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import { filesUnder, root } from '../../support/repository.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/reliability.md');

/** The rows of the tables of promises: the promise, and the files that it links to. */
const promises = [...page.matchAll(/^\| ([^|]*) \| (\[[^|]*) \|$/gm)].map(([, promise = '', links = '']) => ({
  promise,
  files: [...links.matchAll(/\]\(([^)]*)\)/g)].map(([, link = '']) => posix.join('docs', link)),
}));

test('every promise names at least one test, and every named test exists', () => {
  assert.ok(promises.length > 20, `found ${promises.length} promises`);
  for (const { promise, files } of promises) {
    assert.ok(files.length > 0, `no test attacks "${promise}"`);
    for (const file of files) {
      assert.match(file, /^test\/.*\.(?:test|prove)\.ts$/);
      assert.ok(existsSync(join(root, file)), `${file}, which is to attack "${promise}", is not there`);
    }
  }
});

test('every guarantee of the README has a row, word for word', () => {
  const [, section = ''] = read('README.md').split('\n## What it guarantees\n');
  const bullets = (section.split('\n## ')[0] ?? '').split(/\n- /).slice(1);
  const sentences = bullets.flatMap((bullet) =>
    bullet
      .replace(/\s+/g, ' ')
      .trim()
      .split(/(?<=\.) (?=[A-Z])/),
  );
  const rows = new Set(promises.map(({ promise }) => promise));
  assert.deepEqual(
    sentences.filter((sentence) => !rows.has(sentence)),
    [],
  );
});

test('every file of test/prove and every kind of crash is on the page', () => {
  const files = [...filesUnder('test/prove', '.prove.ts'), ...filesUnder('test/crash', '.test.ts')];
  const missing = files.filter((file) => !page.includes(posix.basename(file)));
  assert.deepEqual(missing, []);
});
