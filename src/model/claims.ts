import type { ClaimFact, ToldFact, UnclaimFact } from './completion-facts.ts';

/** The claims on one completion, folded. A log may hold thousands, so each costs the same. */
export class ClaimList {
  readonly #held = new Map<string, ClaimFact>();
  readonly #told = new Map<string, ToldFact>();
  /** The ids of all claims in their order: also of those that were given back, which may have been made again. */
  readonly made: string[] = [];

  add(fact: ClaimFact | UnclaimFact | ToldFact): void {
    if (fact.fact === 'unclaim') {
      this.#held.delete(fact.id);
      this.#told.delete(fact.id);
    } else if (fact.fact === 'told') {
      if (this.#held.has(fact.id)) this.#told.set(fact.id, fact);
    } else if (!this.#held.has(fact.id)) {
      this.#held.set(fact.id, fact);
      this.made.push(fact.id);
    }
  }

  /** In order, without those that were given back. */
  get held(): readonly ClaimFact[] {
    return [...this.#held.values()];
  }

  /** What was printed, of the claims that are held. */
  get told(): readonly ToldFact[] {
    return [...this.#told.values()];
  }
}
