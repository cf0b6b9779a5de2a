import { spawn } from 'node:child_process';
import { openStore } from '../api/open-store.ts';
import { expected, tolerate } from '../errors/expected.ts';
import { exitStatus } from './exit-status.ts';
import { FleetToUse } from './fleet-to-use.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import type { CommonOptions } from './open.ts';
import { jsonLine } from './present/task.ts';
import type { DashboardServer, Host } from './verb.ts';

interface UiOptions extends CommonOptions {
  readonly host?: string;
  readonly port?: number;
  readonly tokenFile?: string;
  readonly readOnly?: boolean;
  readonly open: boolean;
  readonly idle?: number;
}

/** `outlive ui`: serves the dashboard until it is interrupted. Nothing of the store is adopted or removed by it. */
export async function ui(
  io: Io,
  _operands: readonly string[],
  options: UiOptions,
  program: Host,
): Promise<number> {
  const { host, port, tokenFile, readOnly = false, idle } = options;
  const { startUiServer } = await program.loadUi();
  await using store = await openStore({
    ...(options.store !== undefined && { dir: options.store }),
    readOnly,
  });
  await using fleet = FleetToUse.find();
  await using server = await startUiServer({
    store,
    readOnly,
    ...(fleet !== null && { fleet: async () => await fleet.open() }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(tokenFile !== undefined && { tokenFile }),
  });
  // A person who gave a token has it already, and outlive keeps it out of logs.
  const address = server.tokenWasMade ? `${server.url}#token=${server.token}` : server.url;
  await io.out(io.json ? jsonLine({ url: address }) : `${address}\n`);
  if (!server.tokenWasMade) io.note('the page asks for the token of the file');
  if (!io.json) io.note('serves the dashboard; Ctrl-C stops it, and tasks keep running');
  if (options.open && io.terminal && hasScreen()) openBrowser(server.urlForOpener());
  await untilInterrupted(async (interrupted) => {
    if (idle === undefined) await until(interrupted);
    else await untilIdle(server, idle, interrupted);
  });
  return exitStatus.ok;
}

/** Resolves when no page has been there for this long, in milliseconds. */
async function untilIdle(server: DashboardServer, idleMs: number, interrupted: AbortSignal): Promise<void> {
  while (!interrupted.aborted) {
    const changed = new AbortController();
    server.onPages = () => changed.abort();
    const stopped = AbortSignal.any([interrupted, changed.signal]);
    if (server.pages > 0) await until(stopped);
    else if (await passed(idleMs, stopped)) return;
  }
}

/** Whether the time has passed before the signal was aborted. */
async function passed(ms: number, abortSignal: AbortSignal): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const isOver = await Promise.race([
    until(abortSignal).then(() => false),
    new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, ms, true);
    }),
  ]);
  clearTimeout(timer);
  return isOver;
}

function until(abortSignal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (abortSignal.aborted) resolve();
    else abortSignal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Whether a browser that is started here shows on this person's screen. */
function hasScreen(): boolean {
  const { DISPLAY, WAYLAND_DISPLAY, SSH_CONNECTION } = process.env;
  if (SSH_CONNECTION) return false;
  return process.platform !== 'linux' || Boolean(DISPLAY || WAYLAND_DISPLAY);
}

const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Opens the page, where that can be done. The address is printed in any case. */
function openBrowser(url: string): void {
  const [program, ...words] = openers[process.platform] ?? ['xdg-open'];
  const opener = spawn(program, [...words, url], { stdio: 'ignore', detached: true, windowsHide: true });
  opener.on('error', (error) =>
    tolerate(error, expected('absent', 'refused', 'scarce'), 'opening a browser'),
  );
  opener.unref();
}
