import { randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { cookieVariable, nobodysCookie } from '../platform/system.ts';
import { createSuspended } from '../platform/windows-create.ts';
import { type WindowsSentinelWords, windowsSentinel } from '../shim/windows-sentinel.ts';

/** What the sentinel, and the keeper, need of the environment. */
const needed =
  /^(?:SystemRoot|SystemDrive|windir|ComSpec|PATH|PATHEXT|TEMP|TMP|USERPROFILE|LOCALAPPDATA|APPDATA)$/i;

/**
 * Starts the sentinel of a process on Windows; see src/shim/windows-sentinel.ts.
 * @returns how to tell it that this process needs it no more, with the line that it gets.
 * @throws OutliveError `SPAWN_FAILED`.
 */
export function startWindowsSentinel(
  words: Omit<WindowsSentinelWords, 'pipe'>,
  elsewhere: string,
): (word: string) => void {
  const pipe = `\\\\.\\pipe\\outlive-${randomBytes(8).toString('hex')}`;
  const lines = new Set<Socket>();
  const server = createServer((line) => {
    lines.add(line);
    line.on('error', () => undefined).unref();
  });
  server.on('error', () => undefined);
  // The pipe is there from now on, and so are we perhaps not: a process that ends at once has its sentinel all the same.
  server.listen(pipe).unref();
  start(pipe, words, elsewhere);
  return (word) => {
    for (const line of lines) line.end(word, () => line.destroy());
    server.close();
  };
}

function start(pipe: string, words: Omit<WindowsSentinelWords, 'pipe'>, elsewhere: string): void {
  const kept = Object.entries(process.env).filter(([name]) => needed.test(name));
  const environment = {
    ...Object.fromEntries(kept),
    OUTLIVE_ELSEWHERE: elsewhere,
    ELECTRON_RUN_AS_NODE: '1',
    [cookieVariable]: nobodysCookie,
  };
  const root = process.env.SystemRoot ?? 'C:\\Windows';
  const cmd = process.env.ComSpec || join(root, 'System32', 'cmd.exe');
  try {
    const sentinel = createSuspended(`"${cmd}" ${windowsSentinel({ pipe, ...words })}`, root, environment);
    sentinel.run();
    sentinel.close();
  } catch {
    // Without processes to be had there is none until the next spawn.
  }
}
