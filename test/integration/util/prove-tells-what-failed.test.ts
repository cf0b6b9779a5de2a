import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from '../../support/repository.ts';
import { World } from '../../support/world.ts';

interface Tap {
  readonly failedFiles: readonly string[];
}
type FilesToTryAgain = (tap: Tap, files: readonly string[]) => string[] | null;
type FirstFailures = (text: string, most?: number) => string[];

const tap = pathToFileURL(join(root, 'scripts', 'prove', 'tap.mjs')).href;

test('for a failed part of npm run prove the names and errors of its tests are shown, within limits', async () => {
  await using world = new World();
  const { firstFailures } = (await import(tap)) as { firstFailures: FirstFailures };
  const file = join(world.base, 'fails.test.mjs');
  const tests = [
    "test('is good', () => {})",
    "test('is wrong', () => { throw new Error('2 of 7 cases failed:\\n{\"life\":\"ends\"}: it is lost\\n' + 'x'.repeat(500)); })",
    "test('holds another', async (t) => { await t.test('is within', () => { throw new Error('of one line'); }); })",
  ];
  writeFileSync(file, `import { test } from 'node:test';\n${tests.join(';\n')};\n`);
  // A runner within a runner takes itself for one of its files.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', file], { encoding: 'utf8', env });
  const lines = firstFailures(run.stdout);
  assert.match(
    lines.join('\n'),
    /^not ok \d - is wrong\n {2}2 of 7 cases failed:\n {2}\{"life":"ends"\}: it is lost\n/,
  );
  assert.match(lines.join('\n'), /\nnot ok \d - is within\n {2}'?of one line'?$/);
  assert.ok(lines.every((line) => line.length <= 300 && !/is good|holds another|^ +at /.test(line)));
  assert.equal(firstFailures(run.stdout, 2).length, 2);
  assert.deepEqual(firstFailures('of a program\nthat is no test', 1), ['that is no test']);
});

test('a failed test in a support module is repeated in the files that import the module, or not at all', async () => {
  const { filesToTryAgain } = (await import(tap)) as { filesToTryAgain: FilesToTryAgain };
  const [pages, verbs] = ['guide/other-pages', 'cli/cli-run'].map((name) => `build/test/e2e/${name}.test.js`);
  assert.ok(pages && verbs);
  const again = (...failedFiles: string[]) => filesToTryAgain({ failedFiles }, ['--test', pages, verbs]);
  assert.deepEqual(again(verbs), [verbs]);
  assert.deepEqual(again(verbs, 'build/test/support/reader.js'), [verbs, pages]);
  assert.equal(again(verbs, 'build/test/support/no-such.js'), null);
});
