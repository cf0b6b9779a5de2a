// npm start, npm test, npm run bench, npm run build: installs and builds what is needed, then does the job.
//   npm start -- ARGUMENTS      the scene of examples/scene
//   npm test -- unit abc        the tests whose path contains "unit" or "abc"; what starts with "-" goes to node
//   npm test -- --again         files that fail run once more, by themselves, as CI has it: on a busy machine some test
//                               of thousands runs out of patience. What fails twice has failed; the rest is named
//   npm run test:fleet          the tests of the fleet, which need nats-server and bring it; --short: without what is killed in
//                               every gap. npm test leaves them out
//   npm run bench -- ARGUMENTS  the benchmarks
//   npm run build -- --force    build/ and dist/ anew, also when nothing changed
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, filesUnder, install, root } from './prepare.mjs';
import { filesToTryAgain, readTap } from './prove/tap.mjs';

// The suite is to stay under 6 minutes on two cores; on a slow machine it is not wrong because of that, only slow.
const suiteAimMs = 6 * 60_000;
const suiteLimitMs = 40 * 60_000;
// More files that fail are no matter of patience.
const mostAgain = 8;
const fileLimitMs = 10 * 60_000; // shorter, so that one file that hangs is named by the runner, with its totals

const jobs = {
  build: () => 0,
  start: (args) => node(['--enable-source-maps', 'build/examples/scene/main.js', ...args]),
  bench: (args) => node(['build/bench/main.js', ...args]),
  test,
  fleet: testFleet,
};

const [job, ...jobArgs] = process.argv.slice(2);
if (!Object.hasOwn(jobs, job ?? '')) {
  console.error(`run.mjs: expected one of ${Object.keys(jobs).join(', ')}; found ${job ?? 'nothing'}`);
  process.exit(2);
}
process.chdir(root);
try {
  install();
  await build({ force: job === 'build' && jobArgs.includes('--force') });
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
process.exitCode = await jobs[job](jobArgs);

/** The tests that need a server, and take as long as a third of all others. */
function isOfFleet(file) {
  return /^build\/test\/(?:integration|crash|e2e)\/fleet\//.test(file);
}

function test(args) {
  const isAgain = args.includes('--again');
  const flags = args.filter((arg) => arg.startsWith('-') && arg !== '--again');
  const wanted = args.filter((arg) => !arg.startsWith('-')).map((arg) => arg.replace(/\.[jt]s$/, ''));
  const files = filesUnder('build/test')
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => (wanted.length === 0 ? !isOfFleet(file) : wanted.some((part) => file.includes(part))));
  if (files.length === 0) {
    console.error(`npm test: no test file matches ${wanted.join(' ') || 'test/**/*.test.ts'}`);
    return 1;
  }
  return runTests(files, { flags, isAgain, concurrency: 6, aimMs: suiteAimMs });
}

function testFleet(args) {
  const isShort = args.includes('--short');
  const flags = args.filter((arg) => arg.startsWith('-') && arg !== '--short');
  if (!process.env.OUTLIVE_NATS) {
    const { status, stdout, stderr } = spawnSync('sh', ['scripts/get-nats.sh'], { encoding: 'utf8' });
    if (status !== 0) {
      console.error(`run.mjs: the tests of the fleet were left out: ${stderr.trim().split('\n').at(-1)}`);
      return 3;
    }
    process.env.OUTLIVE_NATS = stdout.trim().split('\n').at(-1);
  }
  const files = filesUnder('build/test').filter(
    (file) => file.endsWith('.test.js') && isOfFleet(file) && !(isShort && file.includes('/crash/')),
  );
  return runTests(files, { flags, isAgain: true, concurrency: 3, aimMs: suiteAimMs });
}

function runTests(files, { flags, isAgain, concurrency, aimMs }) {
  // Both reporters end with the runner's totals; TAP writes them so that a program can read them.
  const reporter = process.stdout.isTTY && !isAgain ? 'spec' : 'tap';
  // More files than cores: most of a test's time is waiting for processes.
  const limits = [`--test-concurrency=${concurrency}`, `--test-timeout=${fileLimitMs}`];
  const options = ['--enable-source-maps', '--test', `--test-reporter=${reporter}`, ...limits];
  // Test files are processes of their own; what several of them need (the installed package) is made once in here.
  const scratch = mkdtempSync(join(tmpdir(), 'outlive-scratch-'));
  process.env.OUTLIVE_TEST_SCRATCH = scratch;
  const begin = performance.now();
  const runner = [...options, ...flags];
  return (isAgain ? testTwice(runner, files) : node([...runner, ...files], suiteLimitMs))
    .then((status) => status || warned(scratch))
    .finally(() => {
      rmSync(scratch, { recursive: true, force: true });
      const minutes = ((performance.now() - begin) / 60_000).toFixed(1);
      if (minutes > aimMs / 60_000) console.error(`run.mjs: that took ${minutes} minutes; 6 are the aim`);
    });
}

/** Runs the files that failed once more. Prints the totals of both runs as the runner prints its own, in the last lines. */
async function testTwice(runner, files) {
  let text = '';
  const listen = (chunk) => {
    text += chunk;
    process.stdout.write(chunk);
  };
  const status = await node([...runner, ...files], suiteLimitMs, listen);
  const first = readTap(text);
  const failed = filesToTryAgain(first, files) ?? [];
  // Without totals the runner was stopped, and some files have not run at all.
  if (status === 0 || first.tests === 0 || failed.length === 0 || failed.length > mostAgain) return status;
  console.log(
    `# ${failed.length} of ${files.length} files failed; once more, by themselves: ${failed.join(' ')}`,
  );
  text = '';
  const secondStatus = await node([...runner, '--test-concurrency=1', ...failed], suiteLimitMs, listen);
  if (secondStatus !== 0) return secondStatus;
  for (const name of new Set(first.failures)) console.log(`# failed at first, and passed by itself: ${name}`);
  const { tests, skipped } = first;
  console.log(`# tests ${tests}\n# pass ${tests - skipped}\n# fail 0\n# skipped ${skipped}`);
  return 0;
}

/** Warnings of no store, and so of no test's world: 1 when there are some. */
function warned(scratch) {
  const path = join(scratch, 'warnings');
  if (!existsSync(path)) return 0;
  console.error(`run.mjs: outlive has warned:\n${readFileSync(path, 'utf8')}`);
  return 1;
}

/**
 * Runs node on our own terminal, hands it the signals that we get, and says how it ended. Who wants to hear what it
 * prints has to print it.
 */
function node(args, limitMs, listen) {
  const child = spawn(process.execPath, args, { stdio: ['inherit', listen ? 'pipe' : 'inherit', 'inherit'] });
  child.stdout?.setEncoding('utf8').on('data', listen);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  const stopAtLimit = () => {
    console.error(`run.mjs: stopped after ${limitMs / 60_000} minutes, the limit for the whole suite`);
    child.kill('SIGTERM');
  };
  const timer = limitMs && setTimeout(stopAtLimit, limitMs);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    // Not at its exit: then some of what it printed may still be on its way to us.
    child.on('close', (code, killSignal) => {
      clearTimeout(timer);
      resolve(code ?? 128 + constants.signals[killSignal]);
    });
  });
}
