import { chosenSession, conversationVariable } from '../../engine/session/conversation.ts';
import { TerminalFilter } from '../../terminal/terminal-filter.ts';
import { goesIntoAgent } from '../into-agent.ts';
import type { Io } from '../io.ts';
import { HarmlessStream } from '../present/harmless.ts';
import { hasStdin } from '../stdin.ts';
import { packageVersion } from '../version.ts';
import { addressesOf } from './address.ts';
import { callThere, type RemoteCall } from './call.ts';
import { listHosts } from './list-hosts.ts';
import { type AskersTerminal, protocol, type RemoteRequest } from './request.ts';
import { checkRemote, type Streams, type TypedVerb, type Way, wayOf } from './way.ts';

/** Which machines, and what is asked of them. */
export interface RemoteVerb extends TypedVerb {
  readonly hosts: readonly string[];
  /** They were named by `--host`. */
  readonly isTyped: boolean;
  /** The verb, and what follows it, as it was typed. */
  readonly words: readonly string[];
}

/** A pipe that brings nothing within this time, in milliseconds, is one that somebody has left open. */
const silentMs = 100;

/**
 * Runs a verb on the store of another machine; `ps` on those of several.
 * @returns the exit status of the verb there.
 */
export async function performThere(io: Io, verb: RemoteVerb): Promise<number> {
  const addresses = addressesOf(verb.hosts);
  checkRemote(verb, addresses);
  const [address, ...others] = addresses;
  if (address === undefined) throw new Error('expected a machine; found none');
  if (others.length > 0)
    return await listHosts(io, addresses, verb, (one, out, words) => ({
      address: one,
      verb: verb.name,
      request: { ...requestOf(verb, words, null), terminal: null, stdin: 'held' },
      way: { terminal: false, reads: false, feeds: false, waits: false },
      nobody: true,
      note: io.note,
      out,
      err: async () => undefined,
      cleans: true,
    }));
  const streams = streamsOf(io);
  const way = await wayOf(verb, streams);
  const request = requestOf(verb, verb.words, way.terminal ? null : terminalOf(io, streams));
  const { out, end } = outOf(io, way, streams);
  try {
    return await callThere({
      address,
      verb: verb.name,
      request: { ...request, stdin: way.reads ? 'data' : 'held' },
      way,
      nobody: !streams.stdin && !streams.stderr,
      note: io.note,
      out,
      err: io.err,
      cleans: streams.stderr,
    });
  } finally {
    await end();
  }
}

function streamsOf(io: Io): Streams {
  return {
    stdin: process.stdin.isTTY === true,
    stdout: process.stdout.isTTY === true,
    stderr: process.stderr.isTTY === true,
    piped: async () => {
      if (!hasStdin()) return false;
      if (await bringsSomething()) return true;
      io.note(
        `nothing came from the pipe on stdin in ${silentMs} ms, so outlive does not read it. To avoid the wait, write < /dev/null`,
      );
      return false;
    },
  };
}

/** Whether bytes or the end come soon. What comes is put back: after an event `readable` Bun never tells of the end of stdin. */
async function bringsSomething(): Promise<boolean> {
  const { stdin } = process;
  return await new Promise((resolve) => {
    const done = (brings: boolean): void => {
      clearTimeout(timer);
      stdin.removeListener('data', onBytes).removeListener('end', onEnd);
      if (!brings) stdin.destroy();
      resolve(brings);
    };
    const onBytes = (bytes: Buffer): void => {
      stdin.pause();
      stdin.unshift(bytes);
      done(true);
    };
    const onEnd = (): void => done(true);
    const timer = setTimeout(() => done(false), silentMs);
    stdin.on('data', onBytes).on('end', onEnd);
  });
}

function terminalOf(io: Io, { stdin, stdout, stderr }: Streams): AskersTerminal {
  return { stdin, stdout, stderr, columns: io.columns, rows: process.stdout.rows ?? 24 };
}

function requestOf(
  { isTyped, hosts }: RemoteVerb,
  words: readonly string[],
  terminal: AskersTerminal | null,
): Omit<RemoteRequest, 'stdin'> {
  const { env } = process;
  const session = chosenSession({ named: null, env: { OUTLIVE_SESSION: env.OUTLIVE_SESSION } });
  const conversation = conversationVariable(env);
  return {
    protocol,
    version: packageVersion(),
    words,
    terminal:
      terminal === null
        ? null
        : { ...terminal, columns: Number.isFinite(terminal.columns) ? terminal.columns : 80 },
    colours: !env.NO_COLOR && env.TERM !== 'dumb',
    names: {
      ...(session !== null && { OUTLIVE_SESSION: session }),
      ...(conversation !== null && { [conversation[0]]: conversation[1] }),
    },
    intoAgent: goesIntoAgent(),
    prefix: isTyped ? hosts.flatMap((host) => ['--host', host]) : [],
  };
}

/** Where data goes. What the other machine sends cannot harm a terminal. */
function outOf(
  io: Io,
  { terminal }: Way,
  { stdout }: Streams,
): { readonly out: RemoteCall['out']; readonly end: () => Promise<void> } {
  if (terminal) {
    const filter = new TerminalFilter();
    return {
      out: async (bytes) => await io.out(filter.pass(bytes)),
      end: async () => await io.out(filter.modesReset()),
    };
  }
  if (!stdout) return { out: null, end: async () => undefined };
  const harmless = new HarmlessStream();
  return {
    out: async (bytes) => await io.out(harmless.push(bytes)),
    end: async () => await io.out(harmless.end()),
  };
}
