import type { CommandLine } from './command-line.ts';
import { Terminal, type TerminalOptions } from './terminal.ts';
import { quote } from './world.ts';

/**
 * A terminal in which `outlive top` runs; then it says its status, and whether the terminal is as it was before.
 * `before` are the words of a command in front of it.
 */
export async function topIn(
  cli: CommandLine,
  words = '',
  { before = [], ...options }: Partial<TerminalOptions> & { readonly before?: readonly string[] } = {},
): Promise<Terminal> {
  const command = [...before.map(quote), cli.inShell, 'top', words].join(' ');
  const after = 'echo status=$?; stty -a | diff - before && echo same; exec sh -i';
  const env = { ...cli.environment(), PS1: '$ ', ...options.env } as NodeJS.ProcessEnv;
  const terminal = await Terminal.open(cli.base, {
    ...options,
    command: `cd ${cli.base}; echo what was before; stty -a > before; ${command}; ${after}`,
    env,
  });
  try {
    await terminal.shows(/^outlive top/);
    return terminal;
  } catch (error) {
    await terminal.close();
    throw error;
  }
}

/** The process that draws in a terminal. */
export async function pidOfTop(cli: CommandLine, terminal: Terminal): Promise<number> {
  const shell = await terminal.state('pane_pid');
  const { readFileSync } = await import('node:fs');
  const children = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ');
  const pid = Number(children.at(-1));
  if (!Number.isInteger(pid) || pid <= 0) throw new Error(`expected a child of ${shell} in ${cli.base}`);
  return pid;
}
