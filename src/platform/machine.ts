import type { ProcessIdentity } from '../model/words.ts';
import { crypto } from '../util/crypto.ts';

/**
 * An identity with its machine, named by the hash of an id of the system. outlive does not show the id itself: systemd
 * asks each program to show only a hash of its own. It reads the id on demand: when it writes a record, or reads one of
 * another boot.
 * @param find returns the id; `null` if there is none.
 */
export function withMachine(identity: ProcessIdentity, find: () => string | null): ProcessIdentity {
  let machine: string | null | undefined;
  return {
    ...identity,
    get machine(): string | undefined {
      if (machine === undefined) {
        const id = find();
        const hash = (): string =>
          crypto()
            .createHmac('sha256', 'outlive machine')
            .update(id ?? '')
            .digest('hex');
        machine = id === null ? null : hash().slice(0, 32);
      }
      return machine ?? undefined;
    },
  };
}
