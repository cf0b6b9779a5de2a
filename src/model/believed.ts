import { sealOf } from '../util/crypto.ts';
import { ofShim, onceOfShim } from './fact-kinds.ts';
import type { Fact } from './facts.ts';

/**
 * The facts without those that only claim to be the shim's: a second start, and, where the spec has a seal, an exit
 * that does not prove itself or comes after the one that does. A process that repeats the proof has read it there, and
 * the shim has only `left` and `gone` to say after it, which show another secret where they end the task. Without a seal
 * (Windows) an exit is left out when it is the second copy of one: somebody else had copied it before, and settled.
 */
export function believed(facts: readonly Fact[]): readonly Fact[] {
  const seal = sealIn(facts);
  const seen = new Set<Fact['fact'] | number>();
  const opens = (proof: string | undefined): boolean => proof !== undefined && sealOf(proof) === seal;
  return facts.filter((fact) => {
    if (onceOfShim.has(fact.fact))
      return isFirst(seen, fact.fact) && !(seal !== undefined && seen.has('exit'));
    if (fact.fact === 'left' || fact.fact === 'gone') {
      // The second secret may be shown before an exit: of a command that SIGKILL could not end.
      const isProven = fact.proof !== undefined && opens(sealOf(fact.proof));
      return fact.proof === undefined ? seen.has('exit') : isProven;
    }
    if (fact.fact !== 'exit') return true;
    if (seal !== undefined) return opens(fact.proof) && isFirst(seen, 'exit');
    return fact.copied === undefined || isFirst(seen, fact.copied);
  });
}

/**
 * The seal by which the shim of a task proves itself. A spec after a fact of the shim's seals nothing: a log is published with
 * its spec, so somebody appended that one.
 */
export function sealIn(facts: readonly Fact[]): string | undefined {
  const first = facts.find(({ fact }) => fact === 'spec' || ofShim.has(fact));
  return first?.fact === 'spec' ? first.seal : undefined;
}

function isFirst<T>(seen: Set<T>, one: T): boolean {
  return !seen.has(one) && seen.add(one).has(one);
}
