import type { SigningKey, UserPermissionsLimits } from '@nats-io/jwt';
import { OutliveError } from '../../errors/error.ts';
import { type KeyPackages, loadKeys } from './packages.ts';

// The only module that knows @nats-io/jwt and nkeys: the first calls itself unsupported, and may have to be replaced.

/** A key of NATS, as two texts. */
export interface Nkey {
  /** Begins with O, A or U, by what it is for. */
  readonly publicKey: string;
  /** The secret: begins with S. */
  readonly seed: string;
}

/** What keys are for. */
export type NkeyKind = 'operator' | 'account' | 'user';

/** What users of a scope may do. In subjects `{{name()}}` stands for a user's name, `{{subject()}}` for its public key. */
export interface Scope {
  readonly role: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** How many answers it may give to the reply subject of a message that it was sent, and for how long; else none. */
  readonly answers?: { readonly count: number; readonly ms: number };
  /** How many subscriptions it may have at a time. */
  readonly subscriptions: number;
  /** The largest message, in bytes. */
  readonly payloadBytes: number;
}

/** An account as its operator signs it. */
export interface AccountClaims {
  readonly name: string;
  readonly publicKey: string;
  /** The keys that sign users, each with what those may do. */
  readonly scopes: readonly { readonly publicKey: string; readonly scope: Scope }[];
  /** Users whose tokens are no longer good: the public key, and the second up to which they were issued. */
  readonly revoked: Readonly<Record<string, number>>;
}

/** A user as a key of its account signs it. */
export interface UserClaims {
  readonly name: string;
  readonly publicKey: string;
  readonly account: string;
  /** Epoch milliseconds; `null`: for ever. */
  readonly expiresAt: number | null;
}

/** What a token of a user says of itself. */
export interface UserToken {
  readonly name: string;
  readonly publicKey: string;
  /** The public key that has signed it. */
  readonly issuer: string;
  /** Epoch milliseconds. */
  readonly issuedAt: number;
  /** Epoch milliseconds; `null`: for ever. */
  readonly expiresAt: number | null;
}

/** What is not said here is zero to a server: without connections nobody comes in. */
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

  /** The key with a seed. */
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

  /** The token of an operator. It names its account of the system, and the key that signs accounts. */
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

  /** The token of the account of the system, in which nothing of the fleet is. */
  async signSystemAccount(publicKey: string, operatorSeed: string): Promise<string> {
    const options = { signer: this.#pair(operatorSeed) };
    return await this.#packages.jwt.encodeAccount('SYS', publicKey, { limits: unlimited }, options);
  }

  /**
   * The token of an account with streams.
   * @param replaced the token that this one replaces. A server keeps the one that was issued last; when it starts again, it takes
   * the one in its configuration even if both are of the same second. So the new one is of a later second, whatever the clock says.
   */
  async signAccount(claims: AccountClaims, operatorSeed: string, replaced: string | null): Promise<string> {
    // Not by the package's own function: that lets everybody answer what it was sent, for two minutes.
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

  /** The token of a user, who may do what the scope of the signing key says. */
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

  /** The token of a user of an account without scopes: what it may do stands in it. */
  async signUnscoped(name: string, publicKey: string, accountSeed: string, scope: Scope): Promise<string> {
    return await this.#packages.jwt.encodeUser(name, publicKey, this.#pair(accountSeed), limitsOf(scope));
  }

  /**
   * What the token of a user says; its signature is right, but whose key made it is not looked at.
   * @throws OutliveError `FLEET_FORGED` when it is none.
   */
  read(token: string): UserToken {
    const claims = this.#decode(token);
    if (claims.nats.type !== 'user' || typeof claims.name !== 'string' || !Number.isFinite(claims.iat))
      throw new OutliveError('FLEET_FORGED', 'expected the token of a user; found another one.');
    return {
      name: claims.name,
      publicKey: claims.sub,
      issuer: claims.iss,
      issuedAt: claims.iat * 1000,
      expiresAt: claims.exp === undefined ? null : claims.exp * 1000,
    };
  }

  /** The users that the token of an account has revoked. @throws OutliveError `FLEET_FORGED` when it is none. */
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

/** The same token, of another second: the package has always that of the clock. */
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
