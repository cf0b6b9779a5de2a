// npm start, npm test, npm run bench, npm run build: installs and builds what is needed, then does the job.
//   npm start -- ARGUMENTS      the scene of examples/scene
//   npm test -- unit abc        the tests whose path contains "unit" or "abc"; what starts with "-" goes to node
//   npm run bench -- ARGUMENTS  the benchmarks
//   npm run build -- --force    build/ and dist/ anew, also when nothing changed
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, filesUnder, install, root } from './prepare.mjs';

// The suite is to stay under 5 minutes on two cores; on a slow machine it is not wrong because of that, only slow.
const suiteAimMs = 5 * 60_000;
const suiteLimitMs = 30 * 60_000;
const fileLimitMs = 10 * 60_000; // shorter, so that one file that hangs is named by the runner, with its totals

const jobs = {
  build: () => 0,
  start: (args) => node(['--enable-source-maps', 'build/examples/scene/main.js', ...args]),
  bench: (args) => node(['build/bench/main.js', ...args]),
  test,
};

const [job, ...jobArgs] = process.argv.slice(2);
if (!Object.hasOwn(jobs, job ?? '')) {
  console.error(`run.mjs: expected one of ${Object.keys(jobs).join(', ')}; found ${job ?? 'nothing'}`);
  process.exit(2);
}
process.chdir(root);
try {
  install();
  build({ force: job === 'build' && jobArgs.includes('--force') });
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
process.exitCode = await jobs[job](jobArgs);

function test(args) {
  const flags = args.filter((arg) => arg.startsWith('-'));
  const wanted = args.filter((arg) => !arg.startsWith('-')).map((arg) => arg.replace(/\.[jt]s$/, ''));
  const files = filesUnder('build/test')
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
  if (files.length === 0) {
    console.error(`npm test: no test file matches ${wanted.join(' ') || 'test/**/*.test.ts'}`);
    return 1;
  }
  // Both reporters end with the runner's totals; TAP writes them so that a program can read them.
  const reporter = process.stdout.isTTY ? 'spec' : 'tap';
  // More files than cores: most of a test's time is waiting for processes.
  const limits = ['--test-concurrency=4', `--test-timeout=${fileLimitMs}`];
  const options = ['--enable-source-maps', '--test', `--test-reporter=${reporter}`, ...limits];
  // Test files are processes of their own; what several of them need (the installed package) is made once in here.
  const scratch = mkdtempSync(join(tmpdir(), 'outlive-scratch-'));
  process.env.OUTLIVE_TEST_SCRATCH = scratch;
  const begin = performance.now();
  return node([...options, ...flags, ...files], suiteLimitMs).finally(() => {
    rmSync(scratch, { recursive: true, force: true });
    const minutes = ((performance.now() - begin) / 60_000).toFixed(1);
    if (minutes > suiteAimMs / 60_000) console.error(`run.mjs: that took ${minutes} minutes; 5 are the aim`);
  });
}

/** Runs node on our own terminal, hands it the signals that we get, and says how it ended. */
function node(args, limitMs) {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  const stopAtLimit = () => {
    console.error(`run.mjs: stopped after ${limitMs / 60_000} minutes, the limit for the whole suite`);
    child.kill('SIGTERM');
  };
  const timer = limitMs && setTimeout(stopAtLimit, limitMs);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, killSignal) => {
      clearTimeout(timer);
      resolve(code ?? 128 + constants.signals[killSignal]);
    });
  });
}
