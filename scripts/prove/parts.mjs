// What `npm run prove` consists of: a name, what it proves, and the processes whose end is the answer.
import { basename, delimiter, dirname } from 'node:path';
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

/**
 * All parts, in the order in which they run. `steps` is called when a part's turn has come, because it may have to
 * fetch something, and gives the commands; one that prints TAP is counted by its totals.
 */
export function allParts({ short }) {
  return [
    ...files('prove').map((file) => ({
      name: basename(file, '.prove.js'),
      what: `test/prove/${basename(file, '.js')}.ts`,
      steps: () => [tests(process.execPath, [file])],
    })),
    {
      name: 'crash',
      what: short ? 'a crash at every eighth call' : 'a crash at every call (test/crash)',
      steps: () => [
        tests(process.execPath, files('crash'), { env: { OUTLIVE_CRASH_STEP: short ? '8' : '1' } }),
      ],
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
        const { program, folder } = bunAsNode();
        const runtime = `Bun ${versionOf(program)}`;
        const e2e = files('e2e').filter((file) => !short || /cli-(?:run|wait|kill)\./.test(file));
        return [
          tests(process.execPath, [...e2e, 'build/test/integration/runtime-checks-itself.test.js'], {
            env: { OUTLIVE_TEST_RUNTIME: program },
            path: folder,
            runtime,
          }),
          ...examples().map((file) => ({ command: program, args: [file], runtime })),
        ];
      },
    },
  ];
}

/**
 * The command that runs test files with one program, which is `node` for whatever they start, too. On another runtime
 * than ours, files that fail run again by themselves.
 */
function tests(program, paths, { env = {}, path, runtime } = {}) {
  // As npm test does: more files than cores, since most of a test's time is waiting.
  const runner = ['--test', '--test-reporter=tap', '--test-concurrency=4', '--test-timeout=1200000'];
  const options = ['--enable-source-maps', ...runner];
  const replaced = path === undefined ? {} : { PATH: `${path}${delimiter}${process.env.PATH}` };
  return {
    command: program,
    options,
    args: [...options, ...paths],
    again: runtime !== undefined,
    env: { ...env, ...replaced },
    runtime,
  };
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
