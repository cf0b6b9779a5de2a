import type { Authority } from '../bus/jwt.ts';
import type { CoordinatorCredentials } from './credentials.ts';
import { scopes } from './permissions.ts';

/** The name of the account, for the log of a server. */
const name = 'fleet';

/**
 * Signs the account of a fleet: which keys sign members of which kind, what members may do, and which were removed.
 * @param revoked public keys of removed members; tokens issued up to the given second are no longer valid.
 * @param replaced the token that this one replaces.
 */
export async function signAccount(
  authority: Authority,
  has: Omit<CoordinatorCredentials, 'system'>,
  revoked: Readonly<Record<string, number>>,
  replaced: string | null = null,
): Promise<string> {
  const publicOf = (seed: string): string => authority.keyOf(seed).publicKey;
  return await authority.signAccount(
    {
      name,
      publicKey: has.account,
      scopes: [
        { publicKey: has.coordinatorScope, scope: scopes.coordinator },
        { publicKey: publicOf(has.hostScope), scope: scopes.host },
        { publicKey: publicOf(has.clientScope), scope: scopes.client },
        { publicKey: publicOf(has.newcomerScope), scope: scopes.newcomer },
      ],
      revoked,
    },
    has.operatorSigner,
    replaced,
  );
}
