/** Names of a few of many things. */
const named = 3;

/** What one check of the doctor found. */
export interface Finding {
  /** Which check: stable, for programs. */
  readonly check: string;
  /** `warning`: it works, and not as well as it could. `problem`: something does not work, or is not safe. */
  readonly level: 'ok' | 'warning' | 'problem';
  /** What was found. */
  readonly message: string;
  /** What to do; `null` when all is well. */
  readonly advice: string | null;
  /** Mends it, and says what was done. `null`: nothing that a program should do by itself. */
  readonly mend: (() => Promise<string>) | null;
}

/** A number and what it counts, in words that go with it. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** All is well. */
export function fine(check: string, message: string): Finding {
  return { check, level: 'ok', message, advice: null, mend: null };
}

/** Something works less well than it could. */
export function warning(
  check: string,
  message: string,
  advice: string,
  mend: Finding['mend'] = null,
): Finding {
  return { check, level: 'warning', message, advice, mend };
}

/** Something does not work, or is not safe. */
export function problem(
  check: string,
  message: string,
  advice: string,
  mend: Finding['mend'] = null,
): Finding {
  return { check, level: 'problem', message, advice, mend };
}

/** A few things as the operands of a command that can be pasted; more than that would make a line that nobody reads. */
export function operands(items: readonly string[]): string {
  return items.length > named ? 'TASK ...' : items.join(' ');
}

/** The first few of a list. */
export function some(items: readonly string[]): string {
  const rest = items.length - named;
  return items.slice(0, named).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
