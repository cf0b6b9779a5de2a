import { writeFileSync } from 'node:fs';
import { quote, type World } from './world.ts';

/** Numbers of system calls, which differ by processor; of the newer ones they are the same. */
export const calls = {
  close_range: 436,
  pidfd_open: 434,
  pidfd_send_signal: 424,
  prctl: process.arch === 'x64' ? 157 : 167,
} as const;

/** PR_SET_CHILD_SUBREAPER */
export const setSubreaper = 36;

/** A system call that the kernel refuses; with an argument, only where the first one is that. */
interface Refusal {
  readonly call: keyof typeof calls;
  readonly argument?: number;
}

/** Instructions of BPF: load a word, skip when it is not that, return. */
const [load, skipUnless, end] = [0x20, 0x15, 0x06];

/** Where the filter finds the number of a call and the lower half of its first argument. */
const [ofCall, ofArgument] = [0, 16];

const [refuseWith, allow] = [0x00050000, 0x7fff0000];

function instruction(code: number, value: number, skipped = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(skipped, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}

function filter(refusals: readonly Refusal[], errno: number): Buffer {
  const parts = refusals.flatMap(({ call, argument }) => {
    const refuse = [instruction(end, refuseWith | errno)];
    const inside =
      argument === undefined
        ? refuse
        : [instruction(load, ofArgument), instruction(skipUnless, argument, 1), ...refuse];
    return [instruction(load, ofCall), instruction(skipUnless, calls[call], inside.length), ...inside];
  });
  return Buffer.concat([...parts, instruction(end, allow)]);
}

/** What to put in front of a command, so that the kernel refuses it and all that it starts some system calls. */
export function refusing(world: World, refusals: readonly Refusal[], errno: number): string[] {
  const path = `${world.base}/filter`;
  writeFileSync(path, filter(refusals, errno));
  // Descriptors below 10 are handed on as they are; the channel of an agent is among them.
  const bwrap = 'exec bwrap --dev-bind / / --cap-add ALL --seccomp 9 -- "$@"';
  return ['sh', '-c', `exec 9<${quote(path)}; ${bwrap}`, 'sh'];
}
