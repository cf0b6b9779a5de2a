import type { Store } from '../api/store.ts';
import { OutliveError } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { exitStatus } from './exit-status.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import { withLastLines } from './last-lines.ts';
import { followMatches, matchText, printMatch, takeMatches } from './matches.ts';
import { type CommonOptions, namedSession, sessionIdOf, withStoreToRead, withStoreToWait } from './open.ts';
import { completionText, jsonLine } from './present/task.ts';

interface CompletionsVerbOptions extends CommonOptions {
  readonly follow?: boolean;
  readonly ack?: boolean;
  readonly next?: boolean;
  readonly hook?: boolean;
  /** Lines of output that are shown of each. */
  readonly lines?: number;
}

const printedBefore = 'Printed before, and perhaps not read:\n';
const toldBefore = 'Told before, and perhaps not read:\n';

/** `outlive completions`: the pending completions of the session, with the lines that are watched for, and with `--follow` those that come. Without `--ack` it only reads. */
export async function completions(
  io: Io,
  _operands: readonly string[],
  options: CompletionsVerbOptions,
): Promise<number> {
  const { follow = false, ack = false, next = false, hook = false } = options;
  checkWay(options);
  if (hook) await takeForHook(io, options);
  else if (next) await takeNext(io, options);
  else if (follow)
    await untilInterrupted((interrupted) => (ack ? takeAll : readAll)(io, options, interrupted));
  else if (!ack) await readNow(io, options);
  // Where there is nothing to take, nothing is made.
  else if (await hasPending(options)) await takeNow(io, options);
  return exitStatus.ok;
}

function checkWay({ follow, ack, next, hook }: CompletionsVerbOptions): void {
  const alone = hook ? '--hook' : next ? '--next' : null;
  const other = follow ? '--follow' : ack ? '--ack' : hook && next ? '--next' : null;
  if (alone === null || other === null) return;
  throw new OutliveError(
    'USAGE',
    `expected ${alone} alone, which acknowledges what the call before it has printed; found ${other} as well. Leave one out.`,
  );
}

async function readNow(io: Io, options: CompletionsVerbOptions): Promise<void> {
  await withStoreToRead(options, async (store) => {
    const sessionId = sessionIdOf(options);
    for await (const match of store.pendingMatches(sessionId, { wait: false }))
      await printMatch(io, store, match);
    for (const snapshot of await store.pending(sessionId)) await print(io, store, snapshot, options);
  });
}

async function readAll(io: Io, options: CompletionsVerbOptions, abortSignal: AbortSignal): Promise<void> {
  await withStoreToRead(options, async (store) => {
    const sessionId = sessionIdOf(options);
    await bothUntil(abortSignal, [
      async (ends) => {
        for await (const snapshot of store.followPending(sessionId, { abortSignal: ends }))
          await print(io, store, snapshot, options);
      },
      async (ends) => {
        for await (const match of store.pendingMatches(sessionId, { abortSignal: ends }))
          await printMatch(io, store, match);
      },
    ]);
  });
}

async function hasPending(options: CommonOptions): Promise<boolean> {
  return await withStoreToRead(options, async (store) => {
    const sessionId = sessionIdOf(options);
    if ((await store.pending(sessionId)).length > 0) return true;
    for await (const _match of store.pendingMatches(sessionId, { wait: false })) return true;
    return false;
  });
}

async function takeNow(io: Io, options: CompletionsVerbOptions): Promise<void> {
  await withStoreToWait(options, async (store) => {
    const session = await store.session(sessionIdOf(options));
    await takeMatches(io, store, session);
    for (const completion of await session.pending()) await take(io, store, completion, options);
  });
}

async function takeNext(io: Io, options: CompletionsVerbOptions): Promise<void> {
  if (!(await hasPending(options))) return;
  const { printNext } = await import('./next-completions.ts');
  await withStoreToWait(options, async (store) => {
    await printNext(store, sessionIdOf(options), async ({ ends, lines }) => {
      for (const { match, again } of lines) {
        const { ack: _later, ...found } = match;
        if (again && !io.json) await io.out(printedBefore);
        await printMatch(io, store, found, { again });
      }
      for (const { snapshot, again } of ends) {
        if (again && !io.json) await io.out(printedBefore);
        await print(io, store, snapshot, options, { again });
      }
      await io.arrived();
    });
  });
}

/** The same for a hook: news for an agent goes to its main model, and not to a subagent. */
async function takeForHook(io: Io, options: CompletionsVerbOptions): Promise<void> {
  const { hookAnswer, readHookEvent } = await import('./hook-event.ts');
  const event = await readHookEvent();
  const named = { ...options, session: namedSession(options) ?? event.conversation };
  if (event.isOfSubagent || !(await hasPending(named))) return;
  const { printNext } = await import('./next-completions.ts');
  await withStoreToWait(named, async (store) => {
    await printNext(store, sessionIdOf(named), async ({ ends, lines }) => {
      const told = (text: string, again: boolean): string => (again ? `${toldBefore}${text}` : text);
      const ended = ends.map(async ({ snapshot, again }) =>
        told(completionText(await shownOf(store, snapshot, options), io), again),
      );
      const found = lines.map(({ match, again }) => told(matchText(io, store, match), again));
      await io.out(hookAnswer(event, { ends: await Promise.all(ended), lines: found }));
      await io.arrived();
    });
  });
}

async function takeAll(io: Io, options: CompletionsVerbOptions, abortSignal: AbortSignal): Promise<void> {
  await withStoreToWait(options, async (store) => {
    const session = await store.session(sessionIdOf(options));
    await bothUntil(abortSignal, [
      async (ends) => {
        // Of several readers one is told.
        for await (const completion of session.completions({ abortSignal: ends, exclusive: true }))
          await take(io, store, completion, options);
      },
      (ends) => followMatches(io, store, session, ends),
    ]);
  });
}

/** Does two things until both are over. When one fails the other is given up. */
async function bothUntil(
  abortSignal: AbortSignal,
  works: readonly ((ends: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const failed = new AbortController();
  const ends = AbortSignal.any([abortSignal, failed.signal]);
  const all = works.map(async (work) => {
    try {
      await work(ends);
    } catch (error) {
      failed.abort();
      throw error;
    }
  });
  await Promise.all(all);
}

/** Acknowledged when it is written, not before: a reader who went away in between is told again. */
async function take(
  io: Io,
  store: Store,
  { ack, ...snapshot }: TaskSnapshot & { ack(): Promise<boolean> },
  options: CompletionsVerbOptions,
): Promise<void> {
  await print(io, store, snapshot, options);
  await io.arrived();
  await ack();
}

async function print(
  io: Io,
  store: Store,
  snapshot: TaskSnapshot,
  options: CompletionsVerbOptions,
  more: object = {},
): Promise<void> {
  const shown = await shownOf(store, snapshot, options);
  await io.out(io.json ? jsonLine({ ...shown, ...more }) : completionText(shown, io));
}

/** A snapshot with as many lines of output as are wanted. */
async function shownOf(
  store: Store,
  snapshot: TaskSnapshot,
  { lines }: CompletionsVerbOptions,
): Promise<TaskSnapshot> {
  return lines === undefined ? snapshot : await withLastLines(store.task(snapshot.taskId), snapshot, lines);
}
