import { OutliveError } from '../../errors/error.ts';
import type { Address } from './address.ts';

/** Options of verbs on which it depends how they reach the other machine. */
interface VerbOptions {
  readonly json?: boolean;
  readonly here?: boolean;
  readonly watch?: boolean;
  readonly quiet?: boolean;
  readonly follow?: boolean;
  readonly wait?: unknown;
  readonly http?: boolean;
  readonly hook?: boolean;
  readonly paste?: boolean;
  readonly eof?: boolean;
  readonly press?: readonly string[];
  readonly enter?: boolean;
  readonly bindTo?: 'session' | { readonly pid: number };
}

/** A verb as it was typed. */
export interface TypedVerb {
  readonly name: string;
  readonly operands: readonly string[];
  readonly options: VerbOptions;
}

/** Verbs that are about this machine, with what to do instead. */
const ofThisMachine: Readonly<Record<string, string>> = {
  setup:
    'it writes the configuration of agents on this machine. Run it there, or give the agent here: outlive --host ... mcp',
  ui: 'it serves its page where it runs. Run it there, and reach its port with: ssh -L',
  completion: 'it prints a script for the shells of this machine. Leave --host out',
};

/**
 * Refuses what another machine cannot do for this one.
 * @throws OutliveError `USAGE`, before anything is done.
 */
export function checkRemote({ name, options }: TypedVerb, addresses: readonly Address[]): void {
  if (process.platform === 'win32')
    throw new OutliveError(
      'UNSUPPORTED_PLATFORM',
      'expected Linux or macOS for tasks of other machines; found Windows. Use: ssh box outlive ps',
    );
  if (Object.hasOwn(ofThisMachine, name))
    refuse(`a verb that another machine can do; found ${name}: ${ofThisMachine[name]}`);
  if (name === 'mcp' && options.http === true)
    refuse('mcp over stdin and stdout with --host; found --http, which would listen there. Run it there');
  if (options.here === true)
    refuse(
      `${name} without --here on another machine; found --here, which means the folder of this shell. Use a label, or run it there`,
    );
  if (typeof options.bindTo === 'object')
    refuse(
      '--bind-to session on another machine; found the pid of a process, which would be one of that machine',
    );
  if (addresses.length < 2) return;
  if (name !== 'ps')
    refuse(
      `one machine for ${name}; found ${addresses.length}: ${addresses.map(({ shown }) => shown).join(', ')}. Several are for ps`,
    );
  const alone = options.watch ? '--watch' : options.quiet ? '-q' : null;
  if (alone !== null)
    refuse(`ps without ${alone} for several machines; found ${alone}. Use --json, or one machine`);
}

function refuse(said: string): never {
  throw new OutliveError('USAGE', `expected ${said}. See: docs/guide/other-machines.md`);
}

/** How the streams of this process reach the verb there. */
export interface Way {
  /** A terminal goes through ssh. */
  readonly terminal: boolean;
  /** The verb reads what comes on stdin here. */
  readonly reads: boolean;
  /** What it starts may go on reading after the verb has ended. */
  readonly feeds: boolean;
  /** It stays until what it starts has ended. */
  readonly waits: boolean;
}

/** What this process has. */
export interface Streams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Something is piped or redirected into it, and it brings something. */
  readonly piped: () => Promise<boolean>;
}

/** How a verb goes there. */
export async function wayOf(verb: TypedVerb, streams: Streams): Promise<Way> {
  if (isDrawn(verb, streams)) return { terminal: true, reads: false, feeds: false, waits: false };
  const { name, operands, options } = verb;
  if (name === 'run' || name === 'restart') {
    const piped = await streams.piped();
    const waits = options.wait !== undefined || options.follow === true;
    return { terminal: false, reads: piped, feeds: piped, waits };
  }
  const typed = operands.length > 1 || options.enter === true || (options.press ?? []).length > 0;
  const reads =
    name === 'mcp' ||
    (name === 'completions' && options.hook === true) ||
    (name === 'send' && !typed && !streams.stdin);
  return { terminal: false, reads, feeds: false, waits: false };
}

/** Whether it draws on a terminal, asks, or passes long output to a pager: then it needs a terminal of its own. */
function isDrawn({ name, options }: TypedVerb, { stdin, stdout, stderr }: Streams): boolean {
  if (!stdin || !stdout || options.json === true) return false;
  if (name === 'attach' || name === 'top') return true;
  const asks = name === 'doctor' || (name === 'ps' && options.watch === true);
  return stderr && (asks || (name === 'logs' && options.follow !== true));
}
