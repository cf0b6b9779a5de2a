// npm run prove: the promises, attacked. All that is too long for npm test, one part after the other, then a table.
//   npm run prove -- NAME ...   only the parts whose name contains one of the words
//   --short                     everything bounded to a few minutes
//   --jobs N                    so many parts at once (default 1; figures are better when nothing else runs)
//   --write                     the results go into docs/reliability.md, plots and figures into docs/figures
//   --list                      the names
// OUTLIVE_PROVE_SECONDS is what each file of test/prove may take (default 60), OUTLIVE_PROVE_SEED the seed of all that
// is left to chance; the one that is used is in the table. The exit code is 1 when anything failed.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, install, root } from './prepare.mjs';
import { allParts } from './prove/parts.mjs';
import { resultTable, runOn, writeReport } from './prove/report.mjs';
import { filesToTryAgain, firstFailures, readTap } from './prove/tap.mjs';

const flag = { type: 'boolean', default: false };
const { values: asked, positionals: words } = parseArgs({
  options: { short: flag, write: flag, list: flag, jobs: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const jobs = Number(asked.jobs);
if (!Number.isInteger(jobs) || jobs < 1) {
  console.error(`npm run prove: expected a whole number from 1 for --jobs; found ${asked.jobs}`);
  process.exit(2);
}
process.chdir(root);
install();
await build();

const parts = allParts(asked);
const wanted = parts.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (wanted.length === 0) {
  console.error(`npm run prove: expected one of ${parts.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
if (asked.list) {
  console.log(wanted.map(({ name }) => name).join('\n'));
  process.exit(0);
}

const seed = process.env.OUTLIVE_PROVE_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const seconds = process.env.OUTLIVE_PROVE_SECONDS ?? (asked.short ? '8' : '60');
const scratch = mkdtempSync(join(tmpdir(), 'outlive-prove-'));
const results = [];
const children = new Set();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    for (const child of children) child.kill(name);
    rmSync(scratch, { recursive: true, force: true });
    process.exit(128 + constants.signals[name]);
  });
}
console.error(`seed ${seed}, ${seconds} s for each file of test/prove`);
const order = parts.map(({ name }) => name);
const left = [...wanted];
await Promise.all(Array.from({ length: jobs }, (_, job) => proveInTurn(job)));
rmSync(scratch, { recursive: true, force: true });

console.log(resultTable(results.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))));
process.exitCode = results.every(({ isGood }) => isGood) ? 0 : 1;

/** Takes one part after the other, until none is left. */
async function proveInTurn(job) {
  for (;;) {
    // Every second job begins at the end: so the long suites, which stand there, run beside the small parts.
    const part = job % 2 === 0 ? left.shift() : left.pop();
    if (part === undefined) return;
    const result = await prove(part);
    results.push(result);
    // At once, so that a run that is broken off leaves what it came to.
    if (asked.write) writeReport([result], order);
  }
}

async function prove({ name, what, steps }) {
  const isBusy = await othersAreBusy();
  const begin = performance.now();
  const result = {
    name,
    what,
    seed,
    isShort: asked.short,
    isBusy,
    tests: 0,
    passed: 0,
    failures: [],
    again: [],
    figures: [],
  };
  let isGood = true;
  let runtime = `Node ${process.versions.node}`;
  let [output, told] = ['', []];
  try {
    for (const step of steps()) {
      runtime = step.runtime ?? runtime;
      const first = await run(step, name);
      const counted = readTap(first.text);
      const again = step.again && first.code !== 0 ? (filesToTryAgain(counted, step.args) ?? []) : [];
      // On a busy machine some test of a thousand runs out of patience. Who fails alone, too, has failed.
      const second =
        again.length > 0 ? await run({ ...step, args: [...step.options, ...again] }, name) : first;
      const last = again.length > 0 ? readTap(second.text) : counted;
      const stillFailing = again.length > 0 ? (filesToTryAgain(last, step.args) ?? again) : [];
      const mended = again.filter((file) => !stillFailing.includes(file));
      result.again.push(...mended.map((file) => file.replace(/^build\/|\.js$/g, '')));
      // A program that is no test, such as an example, counts as one.
      const ran = counted.tests === 0 ? 1 : counted.tests - counted.skipped;
      result.tests += ran;
      if (counted.tests === 0) result.passed += Number(first.code === 0);
      else result.passed += ran - last.failures.length;
      if (second.code !== 0) {
        isGood = false;
        output += first.text + (again.length > 0 ? second.text : '');
        told = told.concat(firstFailures(second.text));
        result.failures.push(
          ...(counted.tests ? last.failures : [`${step.args.at(-1)}: exit ${first.code}`]),
        );
      }
      result.figures.push(...counted.figures);
    }
  } catch (error) {
    isGood = false;
    result.failures.push(error.message);
  }
  const taken = (performance.now() - begin) / 1000;
  console.error(`${isGood ? 'ok    ' : 'FAILED'} ${name} (${taken.toFixed(1)} s)`);
  for (const file of result.again) console.error(`       failed at first, and passed by itself: ${file}`);
  for (const failure of result.failures) console.error(`       ${failure}`);
  // A log of CI is all that is left of the machine.
  for (const line of told) console.error(`  | ${line}`);
  if (output !== '') console.error(`       all of its output: ${keep(name, output)}`);
  return { ...result, seconds: taken, isGood, on: runOn(runtime) };
}

function run({ command, args, env = {} }, name) {
  const folder = join(scratch, name);
  mkdirSync(folder, { recursive: true });
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      OUTLIVE_TEST_SCRATCH: folder,
      OUTLIVE_PROVE_SEED: seed,
      OUTLIVE_PROVE_SECONDS: seconds,
      ...(asked.write && !asked.short ? { OUTLIVE_PROVE_FIGURES: join(root, 'docs', 'figures') } : {}),
      ...env,
    },
  });
  children.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more) => {
      text += more;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, killSignal) => resolve({ code: code ?? killSignal, text }));
  }).finally(() => children.delete(child));
}

/** Whether somebody else uses more than a quarter of the machine, while nothing of ours runs: figures are worse then. */
async function othersAreBusy() {
  const before = cpuTimes();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const after = cpuTimes();
  return (after.busy - before.busy) / (after.all - before.all) > 0.25;
}

function cpuTimes() {
  const times = cpus().map((cpu) => cpu.times);
  const all = times.flatMap((of) => Object.values(of)).reduce((sum, ms) => sum + ms, 0);
  return { all, busy: all - times.reduce((sum, { idle }) => sum + idle, 0) };
}

/** Where all that a part printed can be read afterwards. */
function keep(name, text) {
  const folder = join(root, 'build', 'prove');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.txt`);
  writeFileSync(path, text);
  return path;
}
