import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesUnder, root } from '../support/repository.ts';

const page = readFileSync(join(root, 'docs/windows.md'), 'utf8');
const rows = [...page.matchAll(/^\| (in )?`(test\/[^`]+)` \| (.+) \|$/gm)].map(
  ([, part, file = '', reason = '']) => ({ isWhole: part === undefined, file, reason }),
);

test('every test that is skipped on Windows has its reason in docs/windows.md, and every reason has its test', () => {
  const asked = filesUnder('test', '.test.ts').flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    return [...source.matchAll(/notOnWindows\(\s*'([^']+)'/g)].map(([, reason]) => `${file}: ${reason}`);
  });
  const told = rows.filter(({ isWhole }) => !isWhole).map(({ file, reason }) => `${file}: ${reason}`);
  assert.deepEqual([...new Set(asked)].sort(), told.sort());
});

test('every file that is skipped on Windows exists, is listed once, and has a reason', () => {
  const files = rows.filter(({ isWhole }) => isWhole).map(({ file }) => file);
  assert.notEqual(files.length, 0);
  assert.deepEqual([...new Set(files)], files);
  for (const { file, reason } of rows) {
    assert.ok(existsSync(join(root, file)), file);
    assert.ok(reason.trim().length > 5, file);
  }
});
