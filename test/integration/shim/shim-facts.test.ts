import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Fact } from '../../../src/model/facts.ts';
import type { ShimRequest } from '../../../src/shim/request.ts';
import { parseFact } from '../../../src/tasklog/codec.ts';
import { BareShim, exitProof, goneProof } from '../../support/bare-shim.ts';
import { World, waitFor } from '../../support/world.ts';

interface Run extends Partial<ShimRequest> {
  /** What is in the log before the shim starts. */
  readonly before?: readonly Fact[];
}

/** The facts that the shim writes of a command: every line of its own must be one. */
async function factsOf(command: string, { before = [], ...request }: Run = {}): Promise<readonly Fact[]> {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  shim.append(...before);
  assert.equal(await shim.start(shim.request(command, request)), 0);
  const hasEnded = () => shim.facts().some(({ fact }) => fact === 'exit');
  await waitFor(hasEnded, `the end of the command in ${shim.log}`).catch((error: unknown) => {
    throw new Error(`the log has ${shim.text()}`, { cause: error });
  });
  const text = shim.text();
  assert.ok(text.endsWith('\n'));
  for (const line of text.split('\n').filter(Boolean)) assert.ok(parseFact(line), line);
  return shim.facts().slice(before.length);
}

const isNumber = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value > 0;

/** A fact without what differs from run to run, after a check of that. */
function brief(fact: Fact | undefined): object {
  switch (fact?.fact) {
    case 'started': {
      const { pid, start, shimPid, shimStart, at, monoMs, ...rest } = fact;
      const numbers = [pid, start, shimPid, shimStart, at, monoMs];
      assert.ok(numbers.every(isNumber) && pid !== shimPid, JSON.stringify(fact));
      return rest;
    }
    case 'exit': {
      const { at, monoMs, cpuMs, peakBytes, bytes, ...rest } = fact;
      assert.ok(
        isNumber(at) && isNumber(monoMs) && cpuMs !== null && peakBytes !== null && bytes !== undefined,
        JSON.stringify(fact),
      );
      return rest;
    }
    case 'stop':
      assert.ok(isNumber(fact.at));
      return { ...fact, at: 0 };
    case 'left':
      for (const { start, command } of fact.processes ?? []) assert.ok(isNumber(start) && command !== '');
      return { ...fact, processes: fact.processes?.map(({ pid }) => pid) };
    default:
      return fact ?? {};
  }
}

const started = { fact: 'started', subreaper: process.platform === 'linux' };
const ran = { core: false, ran: true, errno: null, left: 0, pending: false };
const exit = { fact: 'exit', code: null, exitSignal: null, ...ran };
const proven = { ...exit, proof: exitProof };
const gone = { fact: 'gone', proof: goneProof };

test('the shim records the start and the exit code of a command', async () => {
  const facts = await factsOf('exit 7');
  assert.deepEqual(facts.map(brief), [started, { ...proven, code: 7 }]);
});

test('the shim records the signal that ended a command, also a real-time signal, which has no name', async () => {
  const ends = await Promise.all([factsOf('kill -KILL $$'), factsOf('kill -34 $$')]);
  assert.deepEqual(
    ends.map((facts) => facts.map(brief)),
    ['SIGKILL', 'SIG34'].map((exitSignal) => [started, { ...proven, exitSignal }]),
  );
});

test('the shim records what the command left running, and when that has gone', async () => {
  const { facts, pid } = await factsOfLeftover('left', {});
  const left = { fact: 'left', processes: [pid] };
  assert.deepEqual(facts.map(brief), [started, { ...proven, code: 3, left: 1 }, left, gone]);
});

test('the end of a task with leftovers "wait" is pending until the shim shows the second secret', async () => {
  const { facts } = await factsOfLeftover('exit', { leftovers: 'wait' });
  assert.deepEqual(facts.map(brief), [started, { ...proven, code: 3, left: 1, pending: true }, gone]);
});

/** The facts of a command that leaves a process, which is ended when a fact is there. */
async function factsOfLeftover(
  until: Fact['fact'],
  more: Partial<ShimRequest>,
): Promise<{ facts: readonly Fact[]; pid: number }> {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  assert.equal(await shim.start(shim.request('sleep 60 & echo $!; exit 3', more)), 0);
  const has = (kind: Fact['fact']) => shim.facts().some(({ fact }) => fact === kind);
  await waitFor(() => has(until), `the fact ${until}`);
  assert.ok(!has('gone'));
  const pid = Number(readFileSync(shim.output, 'utf8'));
  process.kill(pid, 'SIGKILL');
  await waitFor(() => has('gone'), 'the end of the shim');
  return { facts: shim.facts(), pid };
}

test('the shim records its own stop when the time is up', async () => {
  const facts = await factsOf('exec sleep 60', { timeoutMs: 500 });
  const stop = { fact: 'stop', cause: 'timeout', id: 'shim', by: null, at: 0 };
  assert.deepEqual(facts.map(brief), [
    started,
    { ...stop, graceMs: 100, killSignal: 'SIGTERM' },
    { ...proven, exitSignal: 'SIGTERM' },
  ]);
});

test('a stop request in the log before the start forbids the start, and the shim says so', async () => {
  const id = 'ab12';
  const stop: Fact = {
    fact: 'stop',
    cause: 'kill',
    id,
    by: null,
    at: 1,
    graceMs: 100,
    killSignal: 'SIGTERM',
  };
  const facts = await factsOf('echo ran', { before: [stop] });
  // The shim reads the request beside the process that becomes the command.
  assert.deepEqual(facts.filter(({ fact }) => fact !== 'stopping').map(brief), [
    started,
    { ...proven, ran: false, errno: 0 },
  ]);
});

test('the shim of a queued task without locks says that it waits, and starts when its turn is in the log', async () => {
  const turn: Fact = {
    fact: 'turn',
    by: { pid: 2, start: null, boot: '', pidNamespace: '', host: '' },
    at: 1,
  };
  await using world = new World();
  const shim = await BareShim.in(world.base);
  await shim.start(shim.request('exit 0', { queued: true }));
  await waitFor(() => shim.facts().length > 0, 'the shim to say that it waits');
  shim.append(turn);
  const [waiting] = shim.facts();
  assert.ok(waiting?.fact === 'waiting' && isNumber(waiting.pid) && isNumber(waiting.start));
  assert.equal(waiting.locks, false);
  process.kill(waiting.pid, 'SIGCONT');
  await waitFor(() => shim.facts().some(({ fact }) => fact === 'exit'), 'the end of the command');
  const [, , ...rest] = shim.facts();
  assert.deepEqual(rest.map(brief), [started, { ...proven, code: 0 }]);
});

test('the shim of a queued task that finds a slot does not say that it waits', async () => {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  const place = { queueFile: `${world.base}/queue`, order: 7, limit: 1, queued: true };
  await shim.start(shim.request('exit 0', place));
  await waitFor(() => shim.facts().some(({ fact }) => fact === 'exit'), 'the end of the command');
  assert.deepEqual(shim.facts().map(brief), [started, { ...proven, code: 0 }]);
});
