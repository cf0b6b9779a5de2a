import type { Store } from '../api/store.ts';
import { chosenSession } from '../engine/session/conversation.ts';
import { OutliveError } from '../errors/error.ts';
import { exitStatus } from './exit-status.ts';
import { divertNotes, type Io } from './io.ts';
import { type CommonOptions, openStoreToWaitOf, withStoreToRead } from './open.ts';
import { matcherOf } from './ps-filter.ts';
import { App } from './top/app.ts';
import { WatchedTasks } from './watched-tasks.ts';

interface TopVerbOptions extends CommonOptions {
  readonly allSessions?: boolean;
  readonly here?: boolean;
  readonly readOnly?: boolean;
}

/** How many lines of the messages during `top` it prints at the end. */
const mostNotes = 20;

/** `outlive top`: the tasks on the whole screen, until somebody leaves it. */
export async function top(io: Io, _operands: readonly string[], options: TopVerbOptions): Promise<number> {
  checkTerminal(io);
  return await withStoreToRead(options, async (store) => {
    await show(io, store, options);
    return exitStatus.ok;
  });
}

function checkTerminal(io: Io): void {
  if (process.platform === 'win32')
    throw new OutliveError(
      'UNSUPPORTED_PLATFORM',
      'expected Linux or macOS for the view on the whole screen; found Windows. Use: outlive ps --watch',
    );
  if (!io.json && io.terminal && process.stdin.isTTY && process.env.TERM !== 'dumb') return;
  const found = io.json ? '--json' : process.env.TERM === 'dumb' ? 'TERM=dumb' : 'that one of them is not';
  throw new OutliveError(
    'USAGE',
    `expected stdin and stdout to be a terminal whose cursor can be moved; found ${found}. For a program: outlive ps -a --all-sessions --json, or: outlive completions --follow`,
  );
}

async function show(io: Io, store: Store, options: TopVerbOptions): Promise<void> {
  const { here = false, readOnly = false } = options;
  const sessionId = sessionMeant(options);
  let toWrite: Promise<Store> | undefined;
  const stores = {
    toRead: store,
    toWrite: async (): Promise<Store> => {
      toWrite ??= openStoreToWaitOf(options);
      return await toWrite;
    },
  };
  const watched = new WatchedTasks(false);
  const notes: string[] = [];
  const over = new AbortController();
  try {
    using app = new App(io, stores, watched, {
      isMeant: matcherOf({ here }),
      isTree: sessionId === null,
      readOnly,
    });
    const undivert = divertNotes((line) => {
      notes.push(line);
      app.say(line.trim());
    });
    try {
      const events = store.watch({
        ...(sessionId !== null && { sessionId }),
        usage: true,
        previewBytes: 300,
        abortSignal: over.signal,
      });
      await Promise.race([app.done, watched.read(events)]);
    } finally {
      over.abort();
      undivert();
    }
  } finally {
    await (await toWrite)?.close();
    for (const line of new Set(notes.slice(-mostNotes))) process.stderr.write(line);
  }
}

/** One session, where one is named, also by the shell that this is; else all. */
function sessionMeant({ allSessions, session }: TopVerbOptions): string | null {
  if (allSessions && session !== undefined)
    throw new OutliveError(
      'USAGE',
      'expected --session or --all-sessions; found both. See: outlive top --help',
    );
  return allSessions ? null : (chosenSession({ named: session, env: process.env }) ?? null);
}
