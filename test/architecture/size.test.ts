import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesUnder, root } from '../support/repository.ts';

const maxLines = 300;

test(`no file in src/ is longer than ${maxLines} lines`, () => {
  const tooLong = filesUnder('src', '.ts')
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > maxLines);
  assert.deepEqual(tooLong, []);
});
