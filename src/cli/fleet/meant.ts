/** How a task of a fleet is named: its host, and its id. */
const reference = /^[a-z0-9-]{1,63}\/bgb-[0-9a-f]{12}$/;

/** Verbs that take a task of a fleet in the place of one of this machine. */
const taskVerbs: ReadonlySet<string> = new Set(['logs', 'wait', 'show', 'kill', 'send']);

/** Whether a verb, as it was typed, is for a fleet and not for this machine. */
export function isForFleet(
  verb: string,
  operands: readonly string[],
  { on, fleet }: { readonly on?: unknown; readonly fleet?: unknown },
): boolean {
  if (on !== undefined || fleet === true) return true;
  // The second word of send is what is typed.
  const tasks = verb === 'send' ? operands.slice(0, 1) : operands;
  return taskVerbs.has(verb) && tasks.some((word) => reference.test(word));
}
