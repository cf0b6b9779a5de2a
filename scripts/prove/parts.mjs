// What `npm run prove` consists of: a name, what it proves, and the processes whose end is the answer.
import { spawnSync } from 'node:child_process';
import { basename, delimiter, dirname } from 'node:path';
import { buildSanitized } from '../native/sanitized.mjs';
import { filesUnder } from '../prepare.mjs';
import { bunAsNode, nodeOf, versionOf } from './runtimes.mjs';

/** The kinds of Node that the whole suite runs on. */
const nodes = ['20', '22', '24', '26'];

/** In the short form, so much of the suite: a part of every kind that starts processes, and all of the cheap kinds. */
const aPart = [
  '/unit/',
  '/compat/',
  'spawn-',
  'completions-',
  'stop-',
  'timeout',
  'cli-run',
  'cli-wait',
  'packed',
];

/** Tests that a shim with sanitizers cannot pass. */
const notSanitized = [
  // They measure what is read, or what room there is, and this shim is thirty times as large.
  'damaged-records-of-store-and-session',
  '/disk-reserve',
  // They read the memory of a shim, which is that of the sanitizers as well.
  'shim-shows-nothing',
  'typed-secrets',
  // They look for shims in other places, which `OUTLIVE_SHIM` forbids.
  'shim-is-found',
  'shim-on-noexec',
  // They start shims under a limit of memory: sanitizers reserve terabytes of addresses.
  'limits-by-ulimit',
  '/out-of-memory.',
  // They are about moments: this shim takes several times as long to look at processes.
  'leftovers-that-hide',
  'first-process-that-does-not-reap',
  // They start none, or another one.
  'integration/windows/',
  'integration/processes/macos-',
  'shim-is-built',
  'shim-on-arm64',
  'sanitizers-report',
  'shim-calls-that-fail',
  '-at-each-call',
];

/** In the short form, so many of the others: one of each thing that a shim does. */
const sanitizedInShort = [
  '/after.',
  '/bound-tasks-end',
  '/bytes-that-are-no-utf8',
  '/doorbell',
  'interact/stdin',
  'interact/terminal',
  '/leftovers-killed-or-waited-for',
  '/on-exit.',
  '/output-is-erased',
  '/output-limit-overshoot',
  '/output-through-a-pipe',
  '/output-times',
  '/pipe-status.',
  '/queue-by-locks',
  '/shim-facts',
  '/shim-request',
  '/spawn-in-bursts',
  '/spawn-large-command',
  '/spawn-streams',
  '/stop-survivors',
  '/stop-whole-tree',
  '/task-that-damages-its-own-files',
  '/timeout-without-supervisor',
];

/** What fails beside others on a machine of CI is tried once more by itself, and named. */
const inShort = { OUTLIVE_PROVE_AGAIN: '1' };

/**
 * All parts, in the order in which they run. `steps` is called when a part's turn has come, because it may have to
 * fetch something, and gives the commands; one that prints TAP is counted by its totals.
 */
export function allParts({ short }) {
  return [
    ...files('prove').map((file) => ({
      name: basename(file, '.prove.js'),
      what: `test/prove/${basename(file, '.js')}.ts`,
      steps: () => {
        if (basename(file).startsWith('fleet-')) bringNats();
        return [tests(process.execPath, [file], short ? { env: inShort } : toItsEnd(file))];
      },
    })),
    {
      name: 'crash',
      what: short ? 'a crash at every eighth call' : 'a crash at every call (test/crash)',
      steps: () => [
        tests(process.execPath, files('crash'), {
          env: { OUTLIVE_CRASH_STEP: short ? '8' : '1' },
          // A server for each of a thousand calls: on two busy cores a file takes half an hour.
          limitMs: 5_400_000,
        }),
      ],
    },
    {
      name: 'sanitizers',
      what: `${short ? 'a part of the tests' : 'the tests'} that start a shim, with ASan and UBSan in it`,
      steps: () => {
        const wanted = [...files('integration'), ...files('crash')]
          .filter((file) => !notSanitized.some((word) => file.includes(word)))
          .filter((file) => !short || sanitizedInShort.some((word) => file.includes(word)));
        // The part `crash` has the processes of Node die at every call: that says nothing more of the shim's memory.
        const env = { OUTLIVE_SHIM: buildSanitized(), OUTLIVE_CRASH_STEP: '8' };
        // A report fails the run whether or not a test has noticed that its shim was gone.
        const reports = { command: process.execPath, args: ['scripts/native.mjs', '--reports'] };
        return [tests(process.execPath, wanted, { env, again: true }), reports];
      },
    },
    {
      name: 'shells',
      what: 'commands in the shells of users',
      steps: () => [
        tests(
          process.execPath,
          files('integration').filter((file) => file.includes('in-every-shell')),
        ),
      ],
    },
    ...nodes.map((major) => ({
      name: `node-${major}`,
      what: short ? `a part of the suite on Node ${major}` : `the whole suite on Node ${major}`,
      steps: () => {
        const program = nodeOf(major);
        const wanted = short
          ? allTests().filter((file) => aPart.some((word) => file.includes(word)))
          : allTests();
        return [tests(program, wanted, { path: dirname(program), runtime: `Node ${versionOf(program)}` })];
      },
    })),
    {
      name: 'bun',
      what: short ? 'a part of the e2e, and the examples, on Bun' : 'the e2e and the examples on Bun',
      steps: () => {
        const { program, folder, options } = bunAsNode();
        const runtime = `Bun ${versionOf(program)}`;
        const e2e = files('e2e').filter(
          (file) => !short || /cli-(?:run|wait|kill|logs|reader-leaves)\./.test(file),
        );
        return [
          tests(process.execPath, [...e2e, 'build/test/integration/shim/runtime-checks-itself.test.js'], {
            env: { OUTLIVE_TEST_RUNTIME: program },
            path: folder,
            runtime,
          }),
          ...examples().map((file) => ({ command: program, args: [...options, file], runtime })),
        ];
      },
    },
  ];
}

/** Files that do all of something, and not more for as long as they are given, have the time for it unless asked otherwise. */
const secondsToTheEnd = { 'failing-shim-calls': 3 * 3600, 'fleet-chaos': 3600, 'fleet-soak': 700 };

function toItsEnd(file) {
  const seconds = secondsToTheEnd[basename(file, '.prove.js')];
  if (seconds === undefined || process.env.OUTLIVE_PROVE_SECONDS !== undefined) return {};
  return { env: { OUTLIVE_PROVE_SECONDS: String(seconds) }, limitMs: seconds * 1_200 };
}

/** A file that is given longer than usual may take that, and what it needs to come to its end. */
function longestFileMs() {
  return Math.max(1_200_000, Number(process.env.OUTLIVE_PROVE_SECONDS ?? 0) * 1_100);
}

/**
 * The command that runs test files with one program, which is `node` for whatever they start, too. `again`: files that
 * fail run again by themselves, as they do on another runtime than ours.
 */
function tests(
  program,
  paths,
  { env = {}, path, runtime, again = runtime !== undefined, limitMs = longestFileMs() } = {},
) {
  // As npm test does: more files than cores, since most of a test's time is waiting.
  const runner = ['--test', '--test-reporter=tap', '--test-concurrency=4', `--test-timeout=${limitMs}`];
  const options = ['--enable-source-maps', ...runner];
  const replaced = path === undefined ? {} : { PATH: `${path}${delimiter}${process.env.PATH}` };
  return {
    command: program,
    options,
    args: [...options, ...paths],
    again,
    env: { ...env, ...replaced },
    runtime,
  };
}

/** These need a nats-server, and would be left out without one. */
function bringNats() {
  if (process.env.OUTLIVE_NATS) return;
  const { status, stdout, stderr } = spawnSync('sh', ['scripts/get-nats.sh'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`there is no nats-server: ${stderr.trim().split('\n').at(-1)}`);
  process.env.OUTLIVE_NATS = stdout.trim().split('\n').at(-1);
}

function files(kind) {
  return filesUnder(`build/test/${kind}`).filter((file) => /\.(?:test|prove)\.js$/.test(file));
}

function allTests() {
  return filesUnder('build/test').filter((file) => file.endsWith('.test.js'));
}

/** As npm run check runs them: each checks itself. */
function examples() {
  return filesUnder('build/examples').filter((file) => /examples\/([^/]+|[^/]+\/main)\.js$/.test(file));
}
