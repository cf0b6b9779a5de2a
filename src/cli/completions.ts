import type { Completion } from '../api/completions.ts';
import type { Session } from '../api/session.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { exitStatus } from './exit-status.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import { type CommonOptions, withSession } from './open.ts';
import { completionText, jsonLine } from './present/task.ts';

interface CompletionsVerbOptions extends CommonOptions {
  readonly follow?: boolean;
  readonly ack?: boolean;
}

/** `outlive completions`: what the session is owed, and with `--follow` what comes to be. */
export async function completions(
  io: Io,
  _operands: readonly string[],
  options: CompletionsVerbOptions,
): Promise<number> {
  return await withSession(options, async (session) => {
    if (options.follow) await untilInterrupted((interrupted) => follow(io, session, options, interrupted));
    else for (const completion of await session.pending()) await tell(io, completion, options);
    return exitStatus.ok;
  });
}

async function follow(
  io: Io,
  session: Session,
  options: CompletionsVerbOptions,
  abortSignal: AbortSignal,
): Promise<void> {
  // With --ack of several readers one is told; without, everybody may look.
  for await (const completion of session.completions({ abortSignal, exclusive: options.ack === true }))
    await tell(io, completion, options);
}

/** Acknowledged when it is written, not before: a reader who went away in between is told again. */
async function tell(io: Io, completion: Completion, { ack = false }: CompletionsVerbOptions): Promise<void> {
  const { ack: acknowledge, ...snapshot }: Completion & TaskSnapshot = completion;
  await io.out(io.json ? jsonLine(snapshot) : completionText(snapshot, io));
  if (ack) await acknowledge();
}
