import type { SigningKey, UserPermissionsLimits } from '@nats-io/jwt';
import { OutliveError } from '../../errors/error.ts';
import { type KeyPackages, loadKeys } from './packages.ts';

// Only this module uses @nats-io/jwt and nkeys. @nats-io/jwt calls itself unsupported, so we may have to replace it.

/** A NATS key, as two texts. */
export interface Nkey {
  /** Begins with O, A or U: the kind of the key. */
  readonly publicKey: string;
  /** The secret: begins with S. */
  readonly seed: string;
}

/** The kinds of keys. */
export type NkeyKind = 'operator' | 'account' | 'user';

/** What users of a scope may do. In subjects `{{name()}}` stands for a user's name, `{{subject()}}` for its public key. */
export interface Scope {
  readonly role: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** How many answers a user may send to the reply subject of a message that it got, and for how long. Absent: none. */
  readonly answers?: { readonly count: number; readonly ms: number };
  /** How many subscriptions a user may have at a time. */
  readonly subscriptions: number;
  /** The largest message, in bytes. */
  readonly payloadBytes: number;
}

/** What the operator signs about an account. */
export interface AccountClaims {
  readonly name: string;
  readonly publicKey: string;
  /** The keys that sign users, each with what these users may do. */
  readonly scopes: readonly { readonly publicKey: string; readonly scope: Scope }[];
  /** For the public key of each removed user, a second: tokens that were issued until then are not valid. */
  readonly revoked: Readonly<Record<string, number>>;
}

/** What a key of the account signs about a user. */
export interface UserClaims {
  readonly name: string;
  readonly publicKey: string;
  readonly account: string;
  /** Epoch milliseconds; `null`: never. */
  readonly expiresAt: number | null;
}

/** What the token of a user says. */
export interface UserToken {
  readonly name: string;
  readonly publicKey: string;
  /** The public key of the signer. */
  readonly issuer: string;
  /** Epoch milliseconds. */
  readonly issuedAt: number;
  /** Epoch milliseconds; `null`: never. */
  readonly expiresAt: number | null;
}

/** A server takes a missing limit as zero. With zero connections nobody could connect. */
const unlimited = {
  ...{ subs: -1, data: -1, payload: -1, conn: -1 },
  ...{ leaf: 0, imports: 0, exports: 0, wildcards: true },
};

/** Makes keys and signs tokens. */
export class Authority {
  readonly #packages: KeyPackages;

  private constructor(packages: KeyPackages) {
    this.#packages = packages;
  }

  /** @throws OutliveError `FLEET_PACKAGES` when the packages are not installed. */
  static async load(): Promise<Authority> {
    return new Authority(await loadKeys());
  }

  newKey(kind: NkeyKind): Nkey {
    const { nkeys } = this.#packages;
    const make = { operator: nkeys.createOperator, account: nkeys.createAccount, user: nkeys.createUser };
    return textOf(make[kind]());
  }

  /** The key that belongs to a seed. */
  keyOf(seed: string): Nkey {
    return textOf(this.#pair(seed));
  }

  /** Whether a text is the public key of a user. */
  isUserKey(text: string): boolean {
    if (!/^U[A-Z2-7]{55}$/.test(text)) return false;
    try {
      this.#packages.nkeys.fromPublic(text);
      return true;
    } catch (error) {
      if (error instanceof this.#packages.nkeys.NKeysError) return false;
      throw error;
    }
  }

  /** The token of an operator. It names the system account, and the key that signs accounts. */
  async signOperator(
    name: string,
    operator: Nkey,
    more: { readonly signer: string; readonly systemAccount: string },
  ): Promise<string> {
    return await this.#packages.jwt.encodeOperator(name, this.#pair(operator.seed), {
      signing_keys: [more.signer],
      system_account: more.systemAccount,
    });
  }

  /** The token of the system account, which has no data of the fleet. */
  async signSystemAccount(publicKey: string, operatorSeed: string): Promise<string> {
    const options = { signer: this.#pair(operatorSeed) };
    return await this.#packages.jwt.encodeAccount('SYS', publicKey, { limits: unlimited }, options);
  }

  /**
   * The token of an account with streams.
   * @param replaced the token that the new one replaces. A server keeps the token that was issued last. After a restart
   * it prefers the token in its configuration if both were issued in the same second. So the new token always has a
   * later second, whatever the clock says.
   */
  async signAccount(claims: AccountClaims, operatorSeed: string, replaced: string | null): Promise<string> {
    // Not with the package's own function: it would let every user answer each message that it got, for two minutes.
    const signers = claims.scopes.map(({ publicKey: key, scope }): SigningKey => {
      return { kind: 'user_scope', key, role: scope.role, template: limitsOf(scope) };
    });
    const streams = { mem_storage: -1, disk_storage: -1, streams: 16, consumer: -1 };
    const account = {
      limits: { ...unlimited, ...streams, disallow_bearer: true },
      signing_keys: signers,
      revocations: { ...claims.revoked },
    };
    const signer = this.#pair(operatorSeed);
    const token = await this.#packages.jwt.encodeAccount(claims.name, claims.publicKey, account, { signer });
    const earliest = replaced === null ? 0 : this.#decode(replaced).iat + 1;
    return this.#decode(token).iat >= earliest ? token : issuedAt(earliest, token, signer);
  }

  /** The token of a user. The scope of the signing key says what the user may do. */
  async signUser({ name, publicKey, account, expiresAt }: UserClaims, scopeSeed: string): Promise<string> {
    return await this.#packages.jwt.encodeUser(
      name,
      publicKey,
      account,
      {},
      {
        signer: this.#pair(scopeSeed),
        scopedUser: true,
        ...(expiresAt === null ? {} : { exp: Math.floor(expiresAt / 1000) }),
      },
    );
  }

  /** The token of a user in an account without scopes. The token itself says what the user may do. */
  async signUnscoped(name: string, publicKey: string, accountSeed: string, scope: Scope): Promise<string> {
    return await this.#packages.jwt.encodeUser(name, publicKey, this.#pair(accountSeed), limitsOf(scope));
  }

  /**
   * Reads the token of a user. It checks the signature, but not who signed it.
   * @throws OutliveError `FLEET_FORGED` if it is not the token of a user.
   */
  read(token: string): UserToken {
    const claims = this.#decode(token);
    if (claims.nats.type !== 'user' || typeof claims.name !== 'string' || !Number.isFinite(claims.iat))
      throw new OutliveError('FLEET_FORGED', 'expected the token of a user; found a token of another kind.');
    return {
      name: claims.name,
      publicKey: claims.sub,
      issuer: claims.iss,
      issuedAt: claims.iat * 1000,
      expiresAt: claims.exp === undefined ? null : claims.exp * 1000,
    };
  }

  /** The users that the token of an account revokes. @throws OutliveError `FLEET_FORGED` if it is not a token. */
  revokedIn(token: string): Readonly<Record<string, number>> {
    return this.#decode(token).nats.revocations ?? {};
  }

  #decode(token: string) {
    try {
      return this.#packages.jwt.decode<{ type: string; revocations?: Record<string, number> }>(token);
    } catch (error) {
      throw new OutliveError('FLEET_FORGED', 'expected a NATS token; found something else.', {
        cause: error,
      });
    }
  }

  #pair(seed: string) {
    try {
      return this.#packages.nkeys.fromSeed(Buffer.from(seed));
    } catch (error) {
      // The seed is a secret, and the error of the package may show it.
      const kind = error instanceof Error ? error.name : 'an error';
      throw new OutliveError(
        'CONFIG_UNUSABLE',
        `expected the seed of a NATS key; found something else (${kind}).`,
        { details: { path: 'the credentials of the fleet' } },
      );
    }
  }
}

/** Signs the same token with another second. The package always uses the clock. */
function issuedAt(second: number, token: string, signer: { sign(input: Uint8Array): Uint8Array }): string {
  const [header = '', body = ''] = token.split('.');
  const claims = { ...JSON.parse(Buffer.from(body, 'base64url').toString('latin1')), iat: second };
  const signed = `${header}.${Buffer.from(JSON.stringify(claims), 'latin1').toString('base64url')}`;
  return `${signed}.${Buffer.from(signer.sign(Buffer.from(signed))).toString('base64url')}`;
}

function textOf(pair: { getPublicKey(): string; getSeed(): Uint8Array }): Nkey {
  return { publicKey: pair.getPublicKey(), seed: Buffer.from(pair.getSeed()).toString() };
}

function limitsOf(scope: Scope): Partial<UserPermissionsLimits> {
  const { answers, publish, subscribe } = scope;
  return {
    pub: { allow: [...publish], deny: [] },
    sub: { allow: [...subscribe], deny: [] },
    // The server counts in nanoseconds.
    ...(answers === undefined ? {} : { resp: { max: answers.count, ttl: answers.ms * 1e6 } }),
    subs: scope.subscriptions,
    payload: scope.payloadBytes,
    data: -1,
    bearer_token: false,
    allowed_connection_types: ['STANDARD'],
  };
}
