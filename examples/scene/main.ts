// npm start: the scene of the README, told as it happens. This process is the narrator: it starts the agent, kills it,
// starts the process that comes after, and checks at the end, with eyes of its own, that what was said is true. It
// exits with 1 when something was not.
//   npm start -- 'any command'   puts that command in the scene
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isEnded, openStore } from '../../src/index.ts';
import { liveProcesses } from '../support/processes.ts';
import { countHistory, serverName, yoursLimitMs } from './cast.ts';
import { type Claim, Claims } from './claims.ts';
import { sceneFolder } from './folder.ts';
import { checkNothingIsLeft, stopAll } from './stop-all.ts';
import { heading, paint, say, seconds } from './terminal.ts';
import { checkRecords } from './verify.ts';

/** So long nobody is there, between the death of the agent and the next process. */
const nobodyMs = 1_200;

/** The part of either process takes seconds; this long it takes only when something is broken. */
const brokenAfterMs = 45_000;

const begunAt = performance.now();
const yours = process.argv.slice(2).join(' ').trim();
const dir = sceneFolder();
const claims = new Claims();
const children: ChildProcess[] = [];
const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interruption.abort(name));
// Whoever reads what we write may go away.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', () => interruption.abort('SIGPIPE'));

try {
  await play();
} catch (error) {
  if (!interruption.signal.aborted) {
    console.error(error);
    claims.that('the scene came to its end', false, String(error));
  }
}
await end();

async function play(): Promise<void> {
  say(`${paint('bold', 'outlive')}: shell commands that outlive the agent that started them`);
  const historyBefore = countHistory();
  const agent = start('agent.js', dir, yours);
  await Promise.race([
    once(agent, 'message', patience(brokenAfterMs)),
    once(agent, 'exit', patience(brokenAfterMs)).then(() => {
      throw new Error('the agent ended before it could be killed');
    }),
  ]);
  const diedAt = await kill(agent);
  say(`  For ${seconds(nobodyMs)} nobody is there.`);
  await sleep(nobodyMs, undefined, { signal: interruption.signal });

  const next = start('next-agent.js', dir, String(diedAt), yours);
  next.on('message', (claim) => claims.add(claim as Claim));
  const limitMs = brokenAfterMs + (yours === '' ? 0 : yoursLimitMs);
  // 'close' comes after the last message, which 'exit' may not.
  await once(next, 'close', patience(limitMs));
  claims.equal('the process after the agent came to its end', [next.exitCode, next.signalCode], [0, null]);
  await checkRecords(dir, yours, historyBefore, claims);
}

/** Kills the agent, and shows what lives all the same. */
async function kill(agent: ChildProcess): Promise<number> {
  heading(`The agent is killed: SIGKILL to ${agent.pid}`);
  agent.kill('SIGKILL');
  await once(agent, 'exit');
  const diedAt = Date.now();
  const living = new Set(liveProcesses().map(({ pid }) => pid));
  await using store = await openStore({ dir });
  const running = (await store.tasks()).filter(
    ({ status, pid }) => !isEnded(status) && pid !== null && living.has(pid),
  );
  const names = running.map(({ name }) => name);
  say(`  Of its tasks, ${running.length} run on: ${names.join(', ')}.`);
  claims.that('the agent was killed', agent.signalCode === 'SIGKILL' && !living.has(agent.pid ?? 0));
  claims.that('the web server ran on when its agent was dead', names.includes(serverName), names);
  return diedAt;
}

/** Starts one of our own programs, on our own terminal. */
function start(program: string, ...args: string[]): ChildProcess {
  interruption.signal.throwIfAborted();
  const child = fork(join(import.meta.dirname, program), args);
  children.push(child);
  return child;
}

/** For waiting: ends it when all is interrupted, or when it takes too long. */
function patience(limitMs: number): { signal: AbortSignal } {
  return { signal: AbortSignal.any([interruption.signal, AbortSignal.timeout(limitMs)]) };
}

/** Stops what is left, however the scene went, and says which claims are not true. */
async function end(): Promise<void> {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  const stopped = await stopAll(dir);
  if (stopped.length > 0) say(`\n  Stopped at the end: ${stopped.join(', ')}.`);
  await checkNothingIsLeft(dir, children, claims);
  const untrue = claims.all.filter(({ holds }) => !holds);
  const cause = interruption.signal.aborted ? (interruption.signal.reason as NodeJS.Signals) : null;
  heading(cause === null ? 'The end' : `Interrupted by ${cause}`);
  for (const { text, found } of untrue) say(`  ${paint('red', 'NOT TRUE')}: ${text}; found ${found}`);
  if (cause !== null && untrue.length === 0) say('  Nothing that was started is alive.');
  if (cause === null) {
    if (untrue.length === 0) say(`  ${claims.all.length} claims were checked, and all of them are true.`);
    say(`  It took ${seconds(performance.now() - begunAt)}.`);
    say(`  The store: ${relative(process.cwd(), dir)}`);
    say('  It is kept for you to look at; a task is a log of facts in sessions/*/tasks/.');
    if (yours === '') say("  With a command of your own: npm start -- 'npm --version'");
  }
  const code = untrue.length === 0 ? 0 : 1;
  process.exitCode = cause === null ? code : 128 + constants.signals[cause];
}
