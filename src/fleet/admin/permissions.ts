import type { Scope } from '../bus/jwt.ts';

/** A kind of party in a fleet. Each kind has a key that signs its tokens and decides what their holders may do. */
type ScopeName = 'coordinator' | 'host' | 'client' | 'newcomer';

/** The largest message of a fleet. Commands, answers and pieces of output are smaller. */
export const mostPayloadBytes = 512 * 1024;

/**
 * What each party may publish and subscribe to. We assume that the credential of a host is stolen: its holder must only
 * be able to lie about that host. So a host may not use the API of JetStream, through which the server would forward
 * the host's messages with the rights of others. And it may not use a bucket.
 *
 * A host answers requests of the coordinator with the right to answer messages that it received. It cannot send itself
 * a message with the reply subject of another party: it may not subscribe to any subject that it may publish to.
 */
export const scopes: Readonly<Record<ScopeName, Scope>> = {
  coordinator: {
    role: 'coordinator',
    publish: [
      ...['ctl.*.*', 'assign.*.*', 'audit.*', 'log.*.*', '_INBOX.>'],
      ...['$JS.API.>', '$JS.ACK.>', '$JS.FC.>', '$KV.>'],
    ],
    subscribe: [
      ...['hb.*', 'list.*', 'renew.*', 'op.*', 'assign.*.*', 'done.*.*.*', 'log.*.*'],
      ...['_INBOX.{{subject()}}.>', '$JS.EVENT.ADVISORY.>'],
    ],
    subscriptions: -1,
    payloadBytes: mostPayloadBytes,
  },
  host: {
    role: 'host',
    publish: [
      ...['hb.{{name()}}', 'list.{{name()}}', 'renew.{{name()}}'],
      ...['assign.{{name()}}.*', 'done.*.{{name()}}.*', 'log.{{name()}}.*'],
    ],
    subscribe: ['ctl.{{name()}}.*', '_INBOX.{{name()}}.>'],
    answers: { count: 1, ms: 60_000 },
    subscriptions: 64,
    payloadBytes: mostPayloadBytes,
  },
  client: {
    role: 'client',
    publish: ['op.*'],
    subscribe: ['_INBOX.{{subject()}}.>', 'log.*.*', 'done.*.*.*'],
    subscriptions: 1_000,
    payloadBytes: mostPayloadBytes,
  },
  newcomer: {
    role: 'newcomer',
    publish: ['op.enrol'],
    subscribe: ['_INBOX.{{subject()}}.>'],
    subscriptions: 4,
    payloadBytes: 8 * 1024,
  },
};

/** What a coordinator may do in the system account: send the fleet account's new token to the servers, and read it. */
export function systemScope(publicKey: string): Scope {
  return {
    role: 'system',
    publish: ['$SYS.REQ.CLAIMS.UPDATE', '$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP'],
    subscribe: [`_INBOX.${publicKey}.>`],
    subscriptions: 4,
    payloadBytes: mostPayloadBytes,
  };
}
