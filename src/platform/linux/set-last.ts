import { environOf, parseStat, readProcRecord } from './proc.ts';

/** How many processes above this one are looked at. */
const mostAncestors = 64;

/**
 * Which of some variables of this environment was set last: the one that the nearest ancestor was started without, because
 * that ancestor set it for those below. Null where the environments of the ancestors do not tell.
 */
export function setLast(names: readonly string[]): string | null {
  let pid = process.ppid;
  for (let looked = 0; looked < mostAncestors && pid > 0; looked += 1) {
    const environ = environOf(pid);
    // A process of another user, or one that has ended.
    if (environ === null) return null;
    const missing = names.filter((name) => !`\0${environ}`.includes(`\0${name}=`));
    if (missing.length > 0) return missing.length === 1 ? (missing[0] ?? null) : null;
    pid = parseStat(readProcRecord(`/proc/${pid}/stat`) ?? '')?.parent ?? 0;
  }
  return null;
}
