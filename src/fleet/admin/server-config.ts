import { type Address, endpoint } from '../bus/address.ts';
import { mostPayloadBytes } from './permissions.ts';

/** What a server trusts. */
export interface ServerTrust {
  /** The token of the operator. */
  readonly operator: string;
  readonly systemAccount: { readonly publicKey: string; readonly token: string };
  readonly account: { readonly publicKey: string; readonly token: string };
  /** The paths of its certificate, of its key, and of the authority's certificate; `null`: nothing is encrypted. */
  readonly tls: { readonly certificate: string; readonly key: string; readonly authority: string } | null;
}

/**
 * The lines of a configuration that say who may do what.
 * @param accountsFolder where the server keeps accounts that are newer than this: those after the removal of a member.
 */
export function trustLines(trust: ServerTrust, accountsFolder: string): string {
  const { account, systemAccount, tls } = trust;
  return [
    `operator: ${trust.operator}`,
    `system_account: ${systemAccount.publicKey}`,
    `resolver { type: full, dir: ${quoted(accountsFolder)}, allow_delete: false, interval: "2m", timeout: "2s" }`,
    'resolver_preload {',
    `  ${systemAccount.publicKey}: ${systemAccount.token}`,
    `  ${account.publicKey}: ${account.token}`,
    '}',
    `max_payload: ${mostPayloadBytes}`,
    'ping_interval: "10s"',
    'ping_max: 2',
    'write_deadline: "10s"',
    // TLS from the first byte. Otherwise the server introduces itself in clear text, and an attacker on the way could
    // claim that it has no TLS.
    ...(tls === null
      ? []
      : [
          'tls {',
          `  cert_file: ${quoted(tls.certificate)}`,
          `  key_file: ${quoted(tls.key)}`,
          '  handshake_first: true',
          '  min_version: "1.3"',
          '  timeout: 5',
          '}',
        ]),
    '',
  ].join('\n');
}

/** One of the servers of a fleet. */
export interface ServerPlan {
  /** From 1. */
  readonly number: number;
  /** Where it takes the connections of members. */
  readonly listen: Pick<Address, 'host' | 'port'>;
  /** Where it keeps the streams, and the accounts that are newer than its configuration. */
  readonly streamsFolder: string;
  readonly accountsFolder: string;
  /** `null`: it is the only server. */
  readonly cluster: Cluster | null;
}

/** How the servers of a fleet find each other. */
interface Cluster {
  readonly listen: Pick<Address, 'host' | 'port'>;
  readonly others: readonly Pick<Address, 'host' | 'port'>[];
  /** The password that they show each other. */
  readonly password: string;
}

/** The whole configuration of a server. */
export function serverConfig(plan: ServerPlan, trust: ServerTrust): string {
  return [
    '# Written by outlive fleet init.',
    `server_name: "outlive-${plan.number}"`,
    `listen: ${quoted(endpoint(plan.listen))}`,
    // Each write is on the disk before the server answers it.
    `jetstream { store_dir: ${quoted(plan.streamsFolder)}, sync_interval: always }`,
    ...(plan.cluster === null ? [] : clusterLines(plan.cluster, trust)),
    trustLines(trust, plan.accountsFolder),
  ].join('\n');
}

function clusterLines({ listen, others, password }: Cluster, { tls }: ServerTrust): readonly string[] {
  const routes = others.map((other) => quoted(`nats-route://outlive:${password}@${endpoint(other)}`));
  return [
    'cluster {',
    '  name: "outlive"',
    `  listen: ${quoted(endpoint(listen))}`,
    `  authorization { user: "outlive", password: ${quoted(password)}, timeout: 5 }`,
    // No server announces the addresses of others. Everyone uses the configured ones.
    '  no_advertise: true',
    // If the machine of a server vanishes, the other servers send it no more requests after 6 s.
    '  ping_interval: "2s"',
    '  ping_max: 2',
    `  routes: [${routes.join(', ')}]`,
    ...(tls === null
      ? []
      : [
          '  tls {',
          `    cert_file: ${quoted(tls.certificate)}`,
          `    key_file: ${quoted(tls.key)}`,
          `    ca_file: ${quoted(tls.authority)}`,
          '    verify: true',
          '    timeout: 5',
          '  }',
        ]),
    '}',
  ];
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
