import { OutliveError, shown } from '../../errors/error.ts';
import { crypto } from '../../util/crypto.ts';

/** The version of the protocol on the bus. A party refuses messages of another version, and says which one it has. */
export const wireVersion = 1;

export const streams = { assignments: 'ASSIGN', ends: 'DONE', audit: 'AUDIT' } as const;

/** The names of the key-value buckets. Only the coordinator writes them. */
export const buckets = { hosts: 'HOSTS', settings: 'CONF' } as const;

/** What a message can ask the coordinator to do. */
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
] as const;

/** The form of a task's id in a fleet. */
export const taskForm = /^bgb-[0-9a-f]{12}$/;
/** The form of a host's name: 1 to 63 lowercase letters, digits and hyphens, with no hyphen at the start or the end. */
export const hostForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const hashForm = /^[0-9a-f]{16}$/;
/** The form of the id of a view of a terminal. */
export const viewForm = /^[0-9a-f]{16}$/;

/** Whether a text can be the name of a host. */
export function isHostName(text: string): boolean {
  return hostForm.test(text);
}

/** Whether a text is the id of a task. */
export function isTaskId(text: string): boolean {
  return taskForm.test(text);
}

/** Stands for a session in subjects, because the id of a session may be any text: 16 hexadecimal digits. */
export function sessionHashOf(session: string): string {
  return crypto().createHash('sha256').update(session).digest('hex').slice(0, 16);
}

/**
 * The subjects of the bus. Each function checks its parts, so that no name can form the subject of another party.
 * @throws OutliveError `INVALID_ARGUMENT` for a part of another form.
 */
export const subjects = {
  /** A host asks for its lease and its new assignments. */
  heartbeat: (host: string) => `hb.${hostPart(host)}`,
  /** A host asks for all its assignments that have not ended. */
  list: (host: string) => `list.${hostPart(host)}`,
  /** The coordinator tells a host to do something. */
  control: (host: string, verb: ControlVerb) => `ctl.${hostPart(host)}.${verb}`,
  /** The state of an assignment. */
  assignment: (host: string, task: string) => `assign.${hostPart(host)}.${taskPart(task)}`,
  /** The end of a task. */
  end: (sessionHash: string, host: string, task: string) =>
    `done.${part(sessionHash, hashForm, 'the hash of a session')}.${hostPart(host)}.${taskPart(task)}`,
  /** The output of a task, while somebody follows it. */
  output: (host: string, task: string) => `log.${hostPart(host)}.${taskPart(task)}`,
  /** What a view of a terminal shows. The form of this subject differs from that of a task's output. */
  view: (host: string, view: string) =>
    `log.${hostPart(host)}.view-${part(view, viewForm, 'the id of a view')}`,
  /** A host asks for a new token before its own expires. */
  renewal: (host: string) => `renew.${hostPart(host)}`,
  /** A client asks the coordinator. */
  operation: (operation: Operation) => `op.${operation}`,
  /** The audit of a host: what was done to it and on it. */
  audit: (host: string) => `audit.${hostPart(host)}`,
} as const;

/** The queue group of the coordinators: one of them gets each message. */
export const coordinators = 'coord';

/** The audience of a message that is signed for the coordinator. */
export const coordinatorAudience = 'coordinator';

/** The audience of a message that is signed for a host. */
export function hostAudience(host: string): string {
  return `host:${hostPart(host)}`;
}

/**
 * The prefix of the subjects on which a party gets answers. It has the name of a host, and for every other party the
 * public key of its connection. A public key has capital letters and the name of a host has none, so the two never
 * collide.
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
