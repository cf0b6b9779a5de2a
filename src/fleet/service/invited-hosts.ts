import { warn } from '../../errors/warnings.ts';
import type { Members } from '../admin/members.ts';
import { isBusError } from '../coordinator/bus.ts';
import type { InvitedAs } from '../coordinator/core.ts';

/** A host that is not known yet is looked for so often at most, in milliseconds. */
const lookEveryMs = 1_000;

/** As what each host was invited. A host says of itself what it likes, so placing goes by this. */
export class InvitedHosts {
  readonly #members: Members;
  #known: ReadonlyMap<string, InvitedAs>;
  #lookedAt = 0;

  private constructor(members: Members, known: ReadonlyMap<string, InvitedAs>) {
    this.#members = members;
    this.#known = known;
  }

  static async read(members: Members): Promise<InvitedHosts> {
    return new InvitedHosts(members, await members.all('host'));
  }

  /** What is known of a host; `null`: nothing yet. It never changes. */
  get(host: string): InvitedAs | null {
    const found = this.#known.get(host) ?? null;
    if (found === null && performance.now() - this.#lookedAt > lookEveryMs) {
      this.#lookedAt = performance.now();
      void this.#look();
    }
    return found;
  }

  async #look(): Promise<void> {
    try {
      this.#known = await this.#members.all('host');
    } catch (error) {
      if (!isBusError(error)) throw error;
      warn({ doing: 'looking who was invited', error });
    }
  }
}
