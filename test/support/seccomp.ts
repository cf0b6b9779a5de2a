import { writeFileSync } from 'node:fs';
import { quote, type World } from './world.ts';

/** Numbers of system calls, which differ by processor; of the newer ones they are the same. */
export const calls = {
  close_range: 436,
  pidfd_open: 434,
  pidfd_send_signal: 424,
  kill: process.arch === 'x64' ? 62 : 129,
  prctl: process.arch === 'x64' ? 157 : 167,
  fcntl: process.arch === 'x64' ? 72 : 25,
  clone: process.arch === 'x64' ? 56 : 220,
} as const;

/** PR_SET_CHILD_SUBREAPER */
export const setSubreaper = 36;

/** F_SETLK, the second argument of fcntl. */
export const setLock = 6;

/** CLONE_FILES and SIGCHLD: how a shim is forked that keeps the locks of its launcher. */
export const sharedFiles = 0x400 | 17;

/** A system call that the kernel refuses; with an argument, only where the first one is that, or the second one. */
interface Refusal {
  readonly call: keyof typeof calls;
  readonly argument?: number;
  readonly second?: number;
}

/** Instructions of BPF: load a word, skip when it is not that, return. */
const [load, skipUnless, end] = [0x20, 0x15, 0x06];

/** Where the filter finds the number of a call and the lower halves of its first two arguments. */
const [ofCall, ofArgument, ofSecond] = [0, 16, 24];

const [refuseWith, allow] = [0x00050000, 0x7fff0000];

function instruction(code: number, value: number, skipped = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(skipped, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}

function filter(refusals: readonly Refusal[], errno: number): Buffer {
  const parts = refusals.flatMap(({ call, argument, second }) => {
    const refuse = [instruction(end, refuseWith | errno)];
    const wanted = argument ?? second;
    const inside =
      wanted === undefined
        ? refuse
        : [
            instruction(load, argument === undefined ? ofSecond : ofArgument),
            instruction(skipUnless, wanted, 1),
            ...refuse,
          ];
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
