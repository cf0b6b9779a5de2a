import { expected, tolerate } from '../errors/expected.ts';
import { Topic } from '../util/topic.ts';
import type { System } from './system.ts';

/** A process as somebody else has named it. */
export interface NamedProcess {
  readonly pid: number;
  /** Kernel start time; null: not known. */
  readonly start: number | null;
}

/** Message of the channel `outlive:signal`: this process has sent a signal. Most signals come from shims. */
export interface SignalMessage {
  /** The process, or the leader of the group. */
  readonly pid: number;
  readonly isGroup: boolean;
  readonly killSignal: string;
  /** False: it was gone, or another user's. */
  readonly isSent: boolean;
}

const signalTopic = new Topic<SignalMessage>('outlive:signal', ({ pid, isGroup, killSignal, isSent }) => {
  const target = isGroup ? `the group ${pid}` : `${pid}`;
  return `${killSignal} to ${target}${isSent ? '' : ', which is gone or refused it'}`;
});

/** ESRCH: gone meanwhile. EPERM: another user's (setuid), or on macOS a group of zombies. */
const unsignalled = expected('ESRCH', 'EPERM');

/** Sends a signal to a process after a last look that it is still the same one. False when it is gone. */
export function signalMember(member: NamedProcess, killSignal: NodeJS.Signals, system: System): boolean {
  const { pid, start } = member;
  if (system.signal !== undefined) {
    const isSent = system.signal(pid, start, killSignal);
    tellSignal(pid, killSignal, isSent);
    return isSent;
  }
  if (start !== null && system.view(pid)?.start !== start) return false;
  return sendSignal(pid, killSignal);
}

/** Sends a signal to a process group that was verified just before. */
export function signalGroup(group: number, killSignal: NodeJS.Signals): boolean {
  return sendSignal(-group, killSignal);
}

/**
 * Sends a signal to a process, or to the group of a negative number, that was verified just before. False when it is gone
 * meanwhile, or another user's.
 */
export function sendSignal(target: number, killSignal: NodeJS.Signals): boolean {
  const isSent = wasSent(target, killSignal);
  tellSignal(target, killSignal, isSent);
  return isSent;
}

function tellSignal(target: number, killSignal: NodeJS.Signals, isSent: boolean): void {
  signalTopic.tell(() => ({ pid: Math.abs(target), isGroup: target < 0, killSignal, isSent }));
}

function wasSent(target: number, killSignal: NodeJS.Signals): boolean {
  try {
    process.kill(target, killSignal);
    return true;
  } catch (error) {
    tolerate(error, unsignalled, 'sending a signal');
    return false;
  }
}

/** Whether this process may send signals to one that lives. */
export function maySignal({ pid }: Pick<NamedProcess, 'pid'>): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    tolerate(error, unsignalled, 'asking whether a process may be signalled');
    return false;
  }
}
