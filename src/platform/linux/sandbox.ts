import { basename } from 'node:path';
import { ownEntry, readProcFile, readProcRecord } from './proc.ts';

/** A process above this one. */
export interface Ancestor {
  readonly name: string;
  readonly words: readonly string[];
  /** It is the first process of a pid namespace: when it ends, the kernel kills all that run in there. */
  readonly isFirst: boolean;
}

/** How many processes above this one are looked at. */
const mostAncestors = 64;

const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'zsh', 'fish', 'ksh', 'mksh', 'ash']);

/** Programs that run one command, and end with it. */
const wrappers: ReadonlySet<string> = new Set([
  ...['env', 'timeout', 'nice', 'nohup', 'setsid', 'stdbuf', 'unshare', 'apply-seccomp'],
  ...['bwrap', 'codex-linux-sandbox', 'codex-linux-san'],
]);

/**
 * The sandbox with whose command everything that is started here certainly ends; null: it may live on. That is certain when
 * the first process of a pid namespace is a sandbox for one command, and that command is the shell call that this process
 * was started by. Between the two are only shells that were given a command or a file, and programs that run one command.
 * An agent that lives in a sandbox as a whole, the first process of a container and a shell that a person types into are
 * none of these.
 */
export function endingSandbox(ancestors: Iterable<Ancestor> = ancestorsOfThis()): string | null {
  for (const ancestor of ancestors) {
    const name = sandboxName(ancestor);
    if (name !== null && ancestor.isFirst) return name;
    if (name === null && !runsOneCommand(ancestor)) return null;
  }
  return null;
}

/** The first process of this pid namespace, if this is another one than that of the machine; null where that is not seen. */
export function firstProcess(): string | null {
  for (const { name, isFirst } of [...ancestorsOfThis()].reverse()) if (isFirst) return name;
  return readProcFile('/proc/1/comm')?.trim() ?? null;
}

/**
 * bubblewrap waits in its namespace for all that runs there, unless it is to die with its parent, which ends with the command.
 * Codex has bubblewrap in its own program, and always asks for that.
 */
function sandboxName({ name, words }: Ancestor): string | null {
  const program = basename(words[0] ?? '');
  if ([name, program].includes('bwrap')) return words.includes('--die-with-parent') ? 'bwrap' : null;
  return program === 'codex-linux-sandbox' || name === 'codex-linux-san' ? 'codex-linux-sandbox' : null;
}

function runsOneCommand({ name, words }: Ancestor): boolean {
  // Claude Code runs a program of its own so, which gives the shell another namespace and a filter of calls.
  if (/^\/proc\/self\/fd\/\d+$/.test(words[0] ?? '')) return isShellCall(words.slice(1));
  if (isShellCall(words)) return true;
  const program = basename(words[0] ?? '').replace(/^-/, '');
  return wrappers.has(program) || wrappers.has(name) || words[0]?.startsWith('npm exec ') === true;
}

/** Whether a shell was given a command by `-c`, or a file: one with neither may be a person's, and goes on for days. */
function isShellCall(words: readonly string[]): boolean {
  const program = basename(words[0] ?? '');
  if (program === 'busybox') return isShellCall(words.slice(1));
  if (!shells.has(program)) return false;
  for (let at = 1; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (/^-[a-zA-Z]*c[a-zA-Z]*$/.test(word)) return true;
    if (/^[-+][oO]$|^--(?:rcfile|init-file)$/.test(word)) at += 1;
    else if (!/^[-+]/.test(word)) return true;
  }
  return false;
}

/** The processes above this one, the nearest first. Those of outer namespaces are seen where /proc is of one of these. */
function* ancestorsOfThis(): Generator<Ancestor, void, undefined> {
  let pid = statusOf(ownEntry())?.parent ?? 0;
  for (let looked = 0; looked < mostAncestors && pid > 0; looked += 1) {
    const status = statusOf(String(pid));
    if (status === null) return;
    const words = (readProcRecord(`/proc/${pid}/cmdline`) ?? '').split('\0').slice(0, -1);
    yield { name: status.name, words, isFirst: status.isFirst };
    pid = status.parent;
  }
}

function statusOf(entry: string): { name: string; parent: number; isFirst: boolean } | null {
  const status = entry === '' ? null : readProcFile(`/proc/${entry}/status`);
  const name = /^Name:\t(.*)$/m.exec(status ?? '')?.[1];
  const parent = /^PPid:\t(\d+)$/m.exec(status ?? '')?.[1];
  if (name === undefined || parent === undefined) return null;
  // Its pids from the outer namespaces to its own.
  const pids = /^NSpid:\t([\d\t]+)$/m.exec(status ?? '')?.[1]?.split('\t') ?? [];
  return { name, parent: Number(parent), isFirst: pids.at(-1) === '1' };
}
