import type { Fleet } from '../../fleet/client/fleet.ts';
import type { RemoteTask } from '../../fleet/wire/operations.ts';
import { exitStatus } from '../exit-status.ts';
import { untilInterrupted } from '../interrupt.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, sessionIdOf } from '../open.ts';
import { previewLines } from '../present/preview.ts';
import { jsonLine } from '../present/task.ts';
import { remoteHeadline } from './remote-task.ts';

interface CompletionsInFleetOptions extends CommonOptions {
  readonly ack?: boolean;
  readonly follow?: boolean;
}

/** Without `--ack` the same ends stay pending. This is how often to ask for new ones, in milliseconds. */
const lookMs = 1_000;
/** With it the coordinator answers as soon as there is one. */
const waitMs = 20_000;

/** `outlive completions --fleet`: the ends of tasks of the fleet that the session has not acknowledged. */
export async function completionsInFleet(
  io: Io,
  fleet: Fleet,
  _operands: readonly string[],
  options: CompletionsInFleetOptions,
): Promise<number> {
  const session = sessionIdOf(options);
  const printed = new Set<string>();
  const printNew = async (forMs: number): Promise<void> => {
    const found = await fleet.completions(session, { forMs });
    const fresh = found.filter((task) => !printed.has(nameOf(task)));
    for (const task of fresh) {
      await io.out(io.json ? jsonLine(task) : textOf(task, io));
      printed.add(nameOf(task));
    }
    if (!options.ack || fresh.length === 0) return;
    await io.arrived();
    await fleet.acknowledge(session, fresh);
  };
  if (options.follow)
    await untilInterrupted(async (interrupted) => {
      while (!interrupted.aborted)
        await untilAborted(interrupted, printNew(options.ack ? waitMs : 0), options.ack ? 0 : lookMs);
    });
  else await printNew(0);
  return exitStatus.ok;
}

/** Waits for some work, and then for a pause; less when aborted. */
async function untilAborted(signal: AbortSignal, work: Promise<void>, pauseMs: number): Promise<void> {
  const aborted = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  const paused = async (): Promise<void> => {
    await work;
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  };
  await Promise.race([aborted, paused()]);
}

function nameOf({ task, attempt }: RemoteTask): string {
  return `${task}.${attempt}`;
}

function textOf(task: RemoteTask, io: Io): string {
  const lines = previewLines(task.end?.tail.slice(-300) ?? '');
  return [remoteHeadline(task, io), ...lines.map((line) => `  | ${line}`)].join('\n').concat('\n');
}
