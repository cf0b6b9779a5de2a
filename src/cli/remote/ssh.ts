import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { OutliveError } from '../../errors/error.ts';
import { expected, tolerate } from '../../errors/expected.ts';
import type { Address } from './address.ts';

/** The exit status by which the line below says that there is no such program. */
export const noProgramStatus = 113;

/** Where programs of npm and others are that a shell without a terminal often does not look. */
const usualPlaces = [
  ...['$HOME/.local/bin', '$HOME/bin', '/usr/local/bin', '/opt/homebrew/bin'],
  ...['$HOME/.npm-global/bin', '$HOME/.volta/bin', '$HOME/.bun/bin'],
].join(':');

/*
 * In single quotes these characters mean the same to sh, bash, zsh, fish and csh: there is no quote, no backslash, no
 * exclamation mark and no line break among them.
 */
const found = 'command -v "$p" >/dev/null 2>&1';
const find = `p=$1; shift; ${found} || { PATH=$PATH:${usualPlaces}; ${found} || exit ${noProgramStatus}; }; case $p in /*) command -v node >/dev/null 2>&1 || PATH=\${p%/*}:$PATH ;; esac; export PATH;`;
const runIt = `${find} exec "$p" "$@"`;

/** With a reader in front of it: what is piped in arrives also when the program has ended and its task reads on. */
const feedIt = `${find} cat | "$p" "$@"`;

/** What is asked of the other machine's shell. */
export interface RemoteLine {
  readonly program: string | null;
  readonly nonce: string;
  readonly verb: string;
  /** The request, where stdin is a terminal; null: it comes on stdin. */
  readonly word: string | null;
  readonly feeds: boolean;
}

/**
 * The command line for the shell of the other machine, whichever that is. Words of the user are not in it: other users see the
 * arguments of processes.
 */
export function remoteLine({ program, nonce, verb, word, feeds }: RemoteLine): string {
  const words = ['__remote', nonce, verb, ...(word === null ? [] : [word])];
  return `exec sh -c '${feeds ? feedIt : runIt}' sh '${program ?? 'outlive'}' ${words.join(' ')}`;
}

/** How ssh is started. */
export interface SshOptions {
  readonly address: Address;
  readonly line: string;
  readonly terminal: boolean;
  /** No person is there whom ssh could ask. */
  readonly nobody: boolean;
  readonly stdin: 'inherit' | 'pipe';
  readonly stdout: 'inherit' | 'pipe';
}

/** The words that ssh is run with. Its own configuration, agent and known hosts are the user's: nothing here loosens them. */
export function sshWords({ address, line, terminal, nobody }: SshOptions): string[] {
  const settings = {
    ConnectTimeout: 10,
    // A connection without a sign of life ends after three quarters of a minute.
    ServerAliveInterval: 15,
    ServerAliveCountMax: 3,
    ClearAllForwardings: 'yes',
    RemoteCommand: 'none',
    EscapeChar: 'none',
    ...(nobody && { BatchMode: 'yes' }),
  };
  return [
    terminal ? '-tt' : '-T',
    ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...(address.user === null ? [] : ['-l', address.user]),
    ...(address.port === null ? [] : ['-p', String(address.port)]),
    '--',
    address.host,
    line,
  ];
}

/**
 * Starts ssh: the one in PATH, or what `$OUTLIVE_SSH` says, as a shell reads it. Ctrl-C does not end it: the program there
 * ends first, and says its status.
 * @throws OutliveError `HOST_UNREACHABLE` when there is none.
 */
export function startSsh(options: SshOptions): ChildProcess {
  const own = process.env.OUTLIVE_SSH;
  if (!own && !isInPath('ssh'))
    throw new OutliveError(
      'HOST_UNREACHABLE',
      'expected the program ssh in PATH; found none. Install the OpenSSH client, or name it by $OUTLIVE_SSH',
      { details: { host: options.address.shown } },
    );
  return spawn('/bin/sh', ['-c', `trap "" INT; exec ${own || 'ssh'} "$@"`, 'sh', ...sshWords(options)], {
    stdio: [options.stdin, options.stdout, 'pipe'],
  });
}

const missing = expected('absent', 'refused');

function isInPath(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch (error) {
      tolerate(error, missing, 'finding ssh');
      return false;
    }
  });
}
