import { OutliveError, shown } from '../../errors/error.ts';
import { crypto } from '../../util/crypto.ts';

/** The version of everything that goes over the bus. A party that finds a higher one refuses, and says which it has. */
export const wireVersion = 1;

/** The streams, by what is in them. */
export const streams = { assignments: 'ASSIGN', ends: 'DONE', audit: 'AUDIT' } as const;

/** The buckets of keys and values, which the coordinator alone writes. */
export const buckets = { hosts: 'HOSTS', settings: 'CONF' } as const;

/** What a message to the coordinator asks for. */
export type Operation = (typeof operations)[number];
export const operations = [
  ...[
    'run',
    'list',
    'show',
    'inspect',
    'read',
    'wait',
    'send',
    'screen',
    'resize',
    'view',
    'kill',
    'completions',
    'acknowledge',
    'hosts',
    'follow',
  ],
  ...['cordon', 'drain', 'remove', 'forget', 'invite', 'enrol', 'renew'],
] as const;

/** What a message of the coordinator tells a host to do. */
export type ControlVerb = (typeof controlVerbs)[number];
export const controlVerbs = [
  'offer',
  'show',
  'read',
  'send',
  'screen',
  'resize',
  'view',
  'kill',
  'follow',
  'acknowledge',
  'fence',
] as const;

/** How the id of a task looks in a fleet. */
export const taskForm = /^bgb-[0-9a-f]{12}$/;
/** How the name of a host looks: small letters, digits and hyphens, 1 to 63 of them, no hyphen at an end. */
export const hostForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const hashForm = /^[0-9a-f]{16}$/;
/** How the id of a view of a terminal looks. */
export const viewForm = /^[0-9a-f]{16}$/;

/** Whether a text can be the name of a host. */
export function isHostName(text: string): boolean {
  return hostForm.test(text);
}

/** Whether a text is the id of a task. */
export function isTaskId(text: string): boolean {
  return taskForm.test(text);
}

/** What stands for a session in subjects, since its id may be any text: 16 hexadecimal digits. */
export function sessionHashOf(session: string): string {
  return crypto().createHash('sha256').update(session).digest('hex').slice(0, 16);
}

/**
 * The subjects of the bus. Every part is checked, so that no name leads to a subject of somebody else.
 * @throws OutliveError `INVALID_ARGUMENT` for a part that has another form.
 */
export const subjects = {
  /** A host asks for its lease, and is told what is assigned to it. */
  heartbeat: (host: string) => `hb.${hostPart(host)}`,
  /** A host asks for all that it is to know of its assignments. */
  list: (host: string) => `list.${hostPart(host)}`,
  /** The coordinator tells a host to do something. */
  control: (host: string, verb: ControlVerb) => `ctl.${hostPart(host)}.${verb}`,
  /** The state of an assignment. */
  assignment: (host: string, task: string) => `assign.${hostPart(host)}.${taskPart(task)}`,
  /** The end of a task. */
  end: (sessionHash: string, host: string, task: string) =>
    `done.${part(sessionHash, hashForm, 'the hash of a session')}.${hostPart(host)}.${taskPart(task)}`,
  /** Output, while somebody follows. */
  output: (host: string, task: string) => `log.${hostPart(host)}.${taskPart(task)}`,
  /** What a view of a terminal shows. Its id has another form than that of a task. */
  view: (host: string, view: string) =>
    `log.${hostPart(host)}.view-${part(view, viewForm, 'the id of a view')}`,
  /** A host asks for a new token, before its own is too old. */
  renewal: (host: string) => `renew.${hostPart(host)}`,
  /** A client asks the coordinator. */
  operation: (operation: Operation) => `op.${operation}`,
  /** What was done to a host and on it. */
  audit: (host: string) => `audit.${hostPart(host)}`,
} as const;

/** The queue group in which coordinators answer, so that one of them does. */
export const coordinators = 'coord';

/** For whom a signed message is, where that is the coordinator. */
export const coordinatorAudience = 'coordinator';

/** For whom a signed message is, where that is a host. */
export function hostAudience(host: string): string {
  return `host:${hostPart(host)}`;
}

/**
 * The prefix of the subjects on which a party is answered. A host is named there by its name, everybody else by the public
 * key of its connection, which has capital letters: so no name of a host is somebody else's.
 */
export function inboxOf(nameOrKey: string): string {
  return `_INBOX.${nameOrKey}`;
}

/**
 * Whether a subject is for answers to that party. A party that answers checks this first: NATS lets a sender name the
 * reply subject of another party, and the answer would go there with the rights of the answering party.
 */
export function isInboxOf(nameOrKey: string, reply: string | undefined): reply is string {
  const prefix = `${inboxOf(nameOrKey)}.`;
  return reply?.startsWith(prefix) === true && /^[\w-]+(?:\.[\w-]+)*$/.test(reply.slice(prefix.length));
}

function hostPart(host: string): string {
  return part(host, hostForm, 'the name of a host');
}

function taskPart(task: string): string {
  return part(task, taskForm, 'the id of a task');
}

function part(text: string, form: RegExp, what: string): string {
  if (form.test(text)) return text;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected ${what}, of the form ${form.source}; found ${shown(text)}.`,
  );
}
