import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '../../../src/api/session.ts';
import type { PendingMatch } from '../../../src/engine/watches/session-matches.ts';
import { WatchedLines } from '../../../src/tools/delivery/watched-lines.ts';
import { waitFor } from '../../support/world.ts';

const never = new AbortController().signal;

/** A session whose watch "w" of the task "t" finds what a test says, and notes what is acknowledged. */
function fake(lines: readonly string[]) {
  const acknowledged: string[] = [];
  const open = new Set(['w']);
  const gone = new Set<string>();
  let taken = 0;
  async function* matches({ abortSignal }: { readonly abortSignal: AbortSignal }) {
    for (const [lineOffset, line] of lines.entries()) {
      if (gone.has(line)) continue;
      taken += 1;
      // A line is of the task that it begins with, if it names one.
      const [taskId = 't'] = /^t\d/.exec(line) ?? [];
      yield {
        ...{ taskId, watchId: 'w', line, lineOffset, dropped: 0 },
        ack: async () => acknowledged.push(line) > 0,
      };
      if (abortSignal.aborted) return;
    }
    await new Promise((resolve) => abortSignal.addEventListener('abort', resolve));
  }
  const task = () => ({
    watches: () => [...open].map((id) => ({ id, pattern: { regexp: 'x' } })),
    snapshot: () => ({ taskId: 't' }),
  });
  const session = { id: 's', matches, task } as unknown as Session;
  const isPending = ({ watchId, line }: PendingMatch): boolean => open.has(watchId) && !gone.has(line);
  /** Lines that somebody else tells, and those that were given back. */
  const [others, given] = [new Set<string>(), [] as string[]];
  const isFree = ({ line }: PendingMatch): boolean => !others.has(line);
  const claim = (matches: readonly PendingMatch[]) => {
    const ours = matches.filter((match) => isFree(match) && match.line !== 'lost to another');
    return { ours, giveBack: () => void given.push(...ours.map(({ line }) => line)) };
  };
  const watched = new WatchedLines(session, isPending, { isFree, claim });
  return { lines: watched, acknowledged, open, gone, others, given, taken: () => taken };
}

function linesOf({ found }: ReturnType<WatchedLines['ride']>): string[] {
  return found.map(({ match }) => match.line);
}

test('a line that another process claimed rides once that process is gone, and a lost answer returns its claim', async () => {
  const { lines, others, given } = fake(['a', 'b', 'lost to another', 'c']);
  others.add('a');
  await lines.arrived('t', never);
  await waitFor(() => linesOf(lines.ride()).length === 0, 'the lines that were told');
  others.clear();
  const riding = lines.ride();
  assert.deepEqual(linesOf(riding), ['a']);
  assert.deepEqual(given, []);
  riding.outcome?.lost();
  assert.deepEqual(given, ['a']);
});

test('a line whose answer is lost rides again, and one whose answer was received is acknowledged', async () => {
  const { lines, acknowledged } = fake(['a', 'b']);
  await lines.arrived('t', never);
  await waitFor(() => true, 'the second line');
  const first = lines.ride();
  assert.deepEqual(linesOf(first), ['a', 'b']);
  assert.deepEqual([linesOf(lines.ride()), lines.ride().outcome], [[], null]);
  first.outcome?.lost();
  await lines.arrived(null, never);
  const second = lines.ride();
  assert.deepEqual(linesOf(second), ['a', 'b']);
  assert.deepEqual(acknowledged, []);
  void second.outcome?.followed(true);
  await waitFor(() => acknowledged.length > 0, 'the acknowledgement');
  // The last one counts for those before it.
  assert.deepEqual(acknowledged, ['b']);
  assert.deepEqual(linesOf(lines.ride()), []);
});

test('a line whose watch was ended, or that others have acknowledged, does not ride', async () => {
  const { lines, open } = fake(['a']);
  await lines.arrived(null, never);
  open.clear();
  assert.deepEqual(linesOf(lines.ride()), []);
});

test('a line that another process has acknowledged does not ride, but its neighbours do', async () => {
  const { lines, gone, taken } = fake(['a', 'b', 'c']);
  await waitFor(() => taken() === 3, 'all lines');
  await waitFor(() => true, 'a turn');
  gone.add('a').add('b');
  assert.deepEqual(linesOf(lines.ride()), ['c']);
});

test('lines of other callers do not ride, do not block ours, and come when they become ours', async () => {
  const many = Array.from({ length: 120 }, (_, index) => `t1 ${index}`);
  const { lines } = fake([...many, 't2 ours']);
  const isOurs = ({ taskId }: { readonly taskId: string }): boolean => taskId === 't2';
  await lines.arrived('t2', never, isOurs);
  const riding = lines.ride(isOurs);
  assert.deepEqual(linesOf(riding), ['t2 ours']);
  assert.equal(riding.more, false);
  const stop = new AbortController();
  const waiting = lines.arrived('t1', stop.signal, isOurs);
  stop.abort(new Error('given up'));
  await assert.rejects(waiting, /given up/);
  await lines.arrived('t1', never);
  const told: string[] = [];
  await waitFor(async () => {
    const { found, outcome } = lines.ride();
    told.push(...found.map(({ match }) => match.line));
    await outcome?.followed(true);
    return told.length >= many.length;
  }, 'the lines of others');
  assert.deepEqual(told, many);
});

test('ten of many lines ride, and only some are held in memory until those are received', async () => {
  const { lines, taken } = fake(Array.from({ length: 200 }, (_, index) => String(index)));
  await waitFor(() => taken() >= 50, 'lines');
  await waitFor(() => true, 'a turn');
  assert.equal(taken(), 50);
  const told: string[] = [];
  await waitFor(() => {
    const riding = lines.ride();
    assert.ok(riding.found.length <= 10);
    assert.equal(riding.more, told.length + riding.found.length < taken());
    told.push(...linesOf(riding));
    void riding.outcome?.followed(true);
    return told.length === 200;
  }, 'all lines');
  assert.equal(new Set(told).size, 200);
});

test('a wait for a line of another task, or one that gives up, gets no line', async () => {
  const { lines } = fake(['a']);
  const stop = new AbortController();
  const waiting = lines.arrived('other', stop.signal);
  stop.abort(new Error('given up'));
  await assert.rejects(waiting, /given up/);
});
