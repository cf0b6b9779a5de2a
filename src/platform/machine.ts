import type { ProcessIdentity } from '../model/words.ts';
import { crypto } from '../util/crypto.ts';

/**
 * An identity with the machine that it is of, named by the hash of an id of the system's. The id itself is nobody's
 * business: systemd asks that each program shows a hash of its own, and none the id. It is looked for when somebody asks,
 * which is when a record is written, or one of another boot is read.
 * @param find returns the id; `null`: there is none.
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
