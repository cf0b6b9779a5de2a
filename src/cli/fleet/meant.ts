import { isFleetReference } from '../../model/fleet-reference.ts';

/** Verbs that take a task of a fleet in the place of one of this machine. */
const taskVerbs: ReadonlySet<string> = new Set([
  ...['logs', 'wait', 'show', 'kill', 'send', 'screen', 'attach', 'resize'],
]);

/** Whether a verb, as it was typed, is for a fleet and not for this machine. */
export function isForFleet(
  verb: string,
  operands: readonly string[],
  { on, fleet }: { readonly on?: unknown; readonly fleet?: unknown },
): boolean {
  if (on !== undefined || fleet === true) return true;
  // The second word of these is what is typed, and a size.
  const tasks = verb === 'send' || verb === 'resize' ? operands.slice(0, 1) : operands;
  return taskVerbs.has(verb) && tasks.some(isFleetReference);
}
