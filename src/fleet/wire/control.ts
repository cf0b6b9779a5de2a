import type { TerminalSize } from '../../model/words.ts';
import { type Fields, wireFields } from './fields.ts';
import type { Numbered } from './messages.ts';
import { type ControlVerb, taskForm } from './names.ts';
import { readNumbered } from './read-assignment.ts';
import { readSize, readTyped, readView, type TypedInput, type ViewMessage } from './terminal.ts';

/** The longest stretch of output that a host sends at once, in bytes, so that an answer is under 512 KiB. */
export const mostReadBytes = 256 * 1_024;

/** Followers ask again before that is over, in milliseconds. */
export const mostFollowMs = 60_000;

/** What the coordinator tells a host as a whole. */
type HostControl =
  /** An attempt is assigned to the host. A host that misses it finds it in the answer to its next heartbeat. */
  | { readonly verb: 'offer'; readonly offer: Numbered }
  /** The attempt is not the host's any more: it is stopped. */
  | { readonly verb: 'fence'; readonly task: string; readonly attempt: number }
  /** The consumer has acknowledged the end of the attempt. */
  | { readonly verb: 'acknowledge'; readonly task: string; readonly attempt: number };

/** What people ask of one task. */
export type TaskControl =
  | { readonly verb: 'show'; readonly task: string }
  | { readonly verb: 'read'; readonly task: string; readonly offset: number; readonly maxBytes: number }
  | ({ readonly verb: 'send'; readonly task: string } & TypedInput)
  | { readonly verb: 'screen'; readonly task: string }
  | { readonly verb: 'resize'; readonly task: string; readonly size: TerminalSize }
  | ({ readonly verb: 'view'; readonly task: string } & ViewMessage)
  | { readonly verb: 'kill'; readonly task: string; readonly graceMs: number | null }
  /** Publish output for so long. */
  | {
      readonly verb: 'follow';
      readonly task: string;
      readonly offset: number | null;
      readonly forMs: number;
    };

/** What the coordinator tells a host, as it stands in the signed body of a message of `ctl.<host>.<verb>`. */
export type Control = HostControl | TaskControl;

/** A control message, and where its answer goes; `null`: nobody waits for one. */
export interface AskedControl {
  readonly control: Control;
  readonly reply: string | null;
}

/**
 * The body of a control message, checked. A task is named by its id in the fleet, or by the one that it has in the host's store.
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
    case 'fence':
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
