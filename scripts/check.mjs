// npm run check: everything that CI checks, one line a step; a failed step's output follows its line.
//   npm run check -- --no-tests   all but the long tests, for when npm test runs next
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { filesUnder, install, root } from './prepare.mjs';

process.chdir(root);
install();
const withTests = !process.argv.includes('--no-tests');
const packed = mkdtempSync(join(tmpdir(), 'outlive-check-'));
const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`;
const failed = [];

step('types', 'node scripts/run.mjs build --force');
step('prebuilt shims', 'node scripts/native.mjs --verify');
step('lint and format', 'biome ci --error-on-warnings --colors=off');
step('unused exports and dependencies', 'knip');
step('imports, sizes, links', 'node scripts/run.mjs test test/architecture');
step('packing', `npm pack --pack-destination "${packed}"`);
for (const tarball of filesUnder(packed)) {
  step('package fields (publint)', `publint run "${tarball}" --strict`);
  step('package types (attw)', `attw "${tarball}" --profile esm-only --no-definitely-typed`);
}
const examples = filesUnder('build/examples').filter((file) =>
  /examples\/([^/]+|[^/]+\/main)\.js$/.test(file),
);
for (const example of examples) step(example.replace(/^build\/|\.js$/g, ''), `node ${example}`);
if (withTests) {
  const output = step('tests', 'node scripts/run.mjs test');
  console.log(
    output.match(/^# (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) .*$/gm)?.join('\n') ?? '',
  );
}

rmSync(packed, { recursive: true });
if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;

function step(name, command) {
  const startedAt = performance.now();
  const { status, stdout, stderr } = spawnSync(command, {
    shell: true,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: Infinity,
    env: { ...process.env, PATH: path },
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (status !== 0) {
    failed.push(name);
    console.log(stdout + stderr);
  }
  return stdout;
}
