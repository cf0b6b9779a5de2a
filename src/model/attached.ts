/** A process shows the terminal to a person, who may type into it: appended by the shim. */
export interface AttachedFact {
  readonly fact: 'attached';
  readonly pid: number;
  readonly at: number | null;
}

/** It does so no more: appended by the shim. */
export interface DetachedFact {
  readonly fact: 'detached';
  readonly pid: number;
  readonly at: number | null;
}

/** The processes that show a terminal after one more fact: one may do so several times. */
export function nowAttached(
  before: readonly number[],
  { fact, pid }: AttachedFact | DetachedFact,
): readonly number[] {
  if (fact === 'attached') return [...before, pid];
  const at = before.indexOf(pid);
  return before.filter((_pid, index) => index !== at);
}
