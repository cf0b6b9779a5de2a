import type { Scope } from '../bus/jwt.ts';

/** A kind of party of a fleet. For each there is a key that signs the tokens of such parties, with what they may do. */
type ScopeName = 'coordinator' | 'host' | 'client' | 'newcomer';

/** No message of a fleet is larger; commands, answers and pieces of output are below. */
export const mostPayloadBytes = 512 * 1024;

/**
 * What each may send and be sent. The credential of a host is taken as stolen: it may lie about itself alone. So it has
 * nothing of the API of JetStream, by which a server would send on what it wrote under another's rights, and no bucket.
 *
 * A host answers requests of the coordinator by the right to answer what it was sent. It cannot send itself a message with
 * somebody else's reply subject: nothing that it may send to is anything that it may listen to.
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

/** What a coordinator may do in the account of the system: bring the account's new token to the servers, and read it. */
export function systemScope(publicKey: string): Scope {
  return {
    role: 'system',
    publish: ['$SYS.REQ.CLAIMS.UPDATE', '$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP'],
    subscribe: [`_INBOX.${publicKey}.>`],
    subscriptions: 4,
    payloadBytes: mostPayloadBytes,
  };
}
