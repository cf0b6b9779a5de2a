import { OutliveError } from '../../errors/error.ts';
import { isFleetReference } from '../../model/fleet-reference.ts';
import type { RemoteCalls } from './remote-delivery.ts';

/** The tools that take a task on another host. */
const everywhere: ReadonlySet<string> = new Set(['wait', 'output', 'send', 'screen', 'kill']);

/**
 * Refuses a task on another host if the tool cannot take one.
 * @throws OutliveError `TASK_NOT_FOUND` when this server has no fleet; `INVALID_ARGUMENT` for a tool that takes only
 * tasks of this machine.
 */
export function checkPlaces(
  tool: { readonly name: string },
  args: unknown,
  remote: RemoteCalls | null,
): void {
  const { task, after } = (args ?? {}) as { readonly task?: unknown; readonly after?: unknown };
  const reference = [task, after].find((text) => typeof text === 'string' && isFleetReference(text));
  if (reference === undefined) return;
  if (remote === null)
    throw new OutliveError(
      'TASK_NOT_FOUND',
      `expected a task of this machine; found ${reference}, which is a task of a fleet, and this machine is not a client of a fleet. See docs/guide/fleet.md.`,
      { details: { taskId: String(reference) } },
    );
  if (task === reference && everywhere.has(tool.name)) return;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected a task of this machine; found ${reference}, which is on another host. Tools for it: ${[...everywhere].join(', ')}.`,
  );
}

/** Refuses arguments that do not work on another host. @throws OutliveError `INVALID_ARGUMENT`. */
export function checkTaken(args: object, taken: readonly string[]): void {
  const found = Object.entries(args).flatMap(([name, value]) =>
    value === undefined || taken.includes(name) ? [] : [name],
  );
  if (found.length === 0) return;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected what a task on another host can have: ${taken.join(', ')}; found ${found.join(', ')}. Nothing was done.`,
  );
}
