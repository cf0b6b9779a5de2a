import type { TerminalSize } from '../../model/words.ts';
import { type Fields, wireFields } from './fields.ts';
import type { Numbered } from './messages.ts';
import { type ControlVerb, taskForm } from './names.ts';
import { readNumbered } from './read-assignment.ts';
import { readSize, readTyped, readView, type TypedInput, type ViewMessage } from './terminal.ts';

/** The most output in one answer of a host, in bytes. With it an answer stays under 512 KiB. */
export const mostReadBytes = 256 * 1_024;

/**
 * The longest time that a host publishes output after one request, in milliseconds. Followers ask again before it is
 * over.
 */
export const mostFollowMs = 60_000;

/** What the coordinator tells the agent of a host about attempts. */
type HostControl =
  /** An attempt is assigned to the host. A host that misses it finds it in the answer to its next heartbeat. */
  | { readonly verb: 'offer'; readonly offer: Numbered }
  /** The consumer has acknowledged the end of the attempt. */
  | { readonly verb: 'acknowledge'; readonly task: string; readonly attempt: number };

/** What clients ask the host about one task. */
export type TaskControl =
  | { readonly verb: 'show'; readonly task: string }
  | { readonly verb: 'read'; readonly task: string; readonly offset: number; readonly maxBytes: number }
  | ({ readonly verb: 'send'; readonly task: string } & TypedInput)
  | { readonly verb: 'screen'; readonly task: string }
  | { readonly verb: 'resize'; readonly task: string; readonly size: TerminalSize }
  | ({ readonly verb: 'view'; readonly task: string } & ViewMessage)
  | { readonly verb: 'kill'; readonly task: string; readonly graceMs: number | null }
  /** Publish the output for `forMs` milliseconds. */
  | {
      readonly verb: 'follow';
      readonly task: string;
      readonly offset: number | null;
      readonly forMs: number;
    };

/** What the coordinator tells a host: the signed body of a message on `ctl.<host>.<verb>`. */
export type Control = HostControl | TaskControl;

/** A control message, and the subject for its answer; `null`: nobody waits for an answer. */
export interface AskedControl {
  readonly control: Control;
  readonly reply: string | null;
}

/**
 * Reads and checks the body of a control message. It names a task by its id in the fleet, or by its id in the host's
 * store.
 * @throws OutliveError `FLEET_FORGED`.
 */
export function readControl(verb: ControlVerb, body: unknown): AskedControl {
  const fields = wireFields(body, `a message to ${verb}`).versioned();
  return { control: readVerb(verb, fields), reply: fields.textOrNull('reply') };
}

function readVerb(verb: ControlVerb, fields: Fields): Control {
  const task = (): string => fields.formed('task', taskForm);
  switch (verb) {
    case 'offer':
      return { verb, offer: readNumbered(fields.raw('offer')) };
    case 'acknowledge':
      return { verb, task: task(), attempt: fields.whole('attempt', { least: 1, most: 1_000_000 }) };
    case 'show':
    case 'screen':
      return { verb, task: task() };
    case 'read': {
      const maxBytes = fields.whole('maxBytes', { least: 1, most: mostReadBytes });
      return { verb, task: task(), offset: fields.whole('offset'), maxBytes };
    }
    case 'send':
      return { verb, task: task(), ...readTyped(fields) };
    case 'resize':
      return { verb, task: task(), size: readSize(fields) };
    case 'view':
      return { verb, task: task(), ...readView(fields) };
    case 'kill':
      return { verb, task: task(), graceMs: fields.wholeOrNull('graceMs', { most: 3_600_000 }) };
    case 'follow': {
      const forMs = fields.whole('forMs', { least: 1, most: mostFollowMs });
      return { verb, task: task(), offset: fields.wholeOrNull('offset'), forMs };
    }
  }
}
