import { OutliveError } from '../../errors/error.ts';
import { isFinal } from '../../fleet/wire/operations.ts';
import { defaults } from '../../model/limits.ts';
import { unlessAborted } from '../../util/abort.ts';
import { monotonicMs } from '../../util/wait.ts';
import { terminalSize } from '../terminal-answer.ts';
import type { ToolAnswer, ToolCall } from '../tool.ts';
import type { AgentFleetTask } from './agent-fleet.ts';
import { checkTaken } from './check-places.ts';
import { untilQuietThere } from './quiet-there.ts';
import { chunkOfTail, presentRemote, presentRemoteOutput, sayRemote } from './remote-text.ts';
import { sayTerminalThere } from './terminal-there.ts';
import { outputThere, remoteOf, sayOutputThere, waitThere } from './there.ts';

/** What a task on another host can have. */
const taken = [
  ...['command', 'host', 'cwd', 'env', 'name', 'labels', 'key', 'stdin', 'tty'],
  ...['timeout_ms', 'wait_ms'],
] as const;

/** The arguments of `run` that matter on another host. */
export interface RunThere {
  readonly command: string;
  readonly host: string;
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string | null>> | undefined;
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly key?: string | undefined;
  readonly stdin?: 'open' | { readonly data: string } | undefined;
  readonly tty?: boolean | undefined;
  readonly timeout_ms?: number | null | undefined;
}

/**
 * How long the start waits for the host to accept, in milliseconds. A call that is aborted meanwhile ends only then.
 */
const mostAcceptMs = 1_000;

/**
 * Starts a command on a host of the fleet, and waits for its end for a while.
 * @param waitMs how long, in milliseconds.
 */
export async function runThere(args: RunThere, waitMs: number, call: ToolCall): Promise<ToolAnswer> {
  checkTaken(args, taken);
  const { command, host, cwd, name, labels, key, stdin, tty } = args;
  const { timeout_ms: timeoutMs = defaults.timeoutMs } = args;
  if (cwd !== undefined && !cwd.startsWith('/'))
    throw wrong('a cwd that is a path on the host, from / on', cwd);
  if (typeof stdin === 'object') throw wrong('stdin "open", and then "send"', 'stdin with data');
  const remote = remoteOf(call);
  const fleet = await remote.fleet();
  const env = variablesIn(args.env ?? {});
  const spawning = fleet.spawn(command, {
    ...{ on: host, session: remote.session, key: remote.requestId(key), env, timeoutMs },
    acceptMs: Math.min(waitMs, mostAcceptMs),
    ...(name !== undefined && { name }),
    ...(labels !== undefined && { labels }),
    ...(cwd !== undefined && { cwd }),
    ...(stdin !== undefined && { stdin }),
    ...(tty === true && { tty: terminalSize }),
  });
  const task = await spawning.catch((error: unknown) => {
    throw key === undefined ? inDoubt(error) : error;
  });
  if (tty === true) return await atTerminal(task, waitMs, call);
  const known = await waitThere(task, waitMs, call.abortSignal);
  const output = await outputThere(task, call.abortSignal);
  const isOver = isFinal(known);
  return {
    text: `${sayRemote(known)}${adviceFor(known.state)}\n${sayOutputThere(known, output)}`,
    structured: { task: presentRemote(known), output: presentRemoteOutput(known, output.chunk) },
    isError: known.state === 'revoked' && isOver && !known.mayHaveStarted,
    tells: [],
    tellsRemote: isOver ? [known] : [],
  };
}

/** Answers when the program is quiet, since it then waits for input. */
async function atTerminal(task: AgentFleetTask, waitMs: number, call: ToolCall): Promise<ToolAnswer> {
  const { abortSignal } = call;
  const begin = monotonicMs();
  const started = await unlessAborted(
    abortSignal,
    task.wait({ until: 'accepted', timeoutMs: waitMs, abortSignal }),
  );
  const isThere = started !== null && started.state !== 'revoked' && started.state !== 'unknown';
  if (isThere) await untilQuietThere(task, 0, waitMs - (monotonicMs() - begin), abortSignal);
  const known = await task.show();
  const isOver = isFinal(known);
  const text = await sayTerminalThere(task, call, true);
  return {
    text: `${text}${adviceFor(known.state)}`,
    structured: { task: presentRemote(known), output: presentRemoteOutput(known, chunkOfTail(known)) },
    isError: known.state === 'revoked' && isOver && !known.mayHaveStarted,
    tells: [],
    tellsRemote: isOver ? [known] : [],
  };
}

function adviceFor(state: string): string {
  if (state === 'accepted')
    return '\nIt goes on in the background, and you will be told when it ends. Do not poll.';
  if (state !== 'assigned') return '';
  return '\nThe host has not accepted it yet. You will be told when it has ended, or when it is certain that it will not start. Do not start it again.';
}

/** A call without an answer does not prove that nothing was started, and a second call is a second request. */
function inDoubt(error: unknown): unknown {
  if (!(error instanceof OutliveError) || error.code !== 'FLEET_UNREACHABLE') return error;
  return new OutliveError(
    'FLEET_UNREACHABLE',
    'expected an answer from the fleet; found none. Nobody knows whether the command is started. Before you start it again, look for it with "tasks". With a key a second call starts nothing twice.',
    { cause: error },
  );
}

function variablesIn(env: Readonly<Record<string, string | null>>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === null) throw wrong('variables with a value: a host has an environment of its own', name);
    variables[name] = value;
  }
  return variables;
}

function wrong(expected: string, found: string): OutliveError {
  return new OutliveError(
    'INVALID_ARGUMENT',
    `expected ${expected}; found ${JSON.stringify(found)}. Nothing was started.`,
  );
}
