import { Argument, Command } from 'commander';
import * as values from '../values.ts';
import type { Definition } from './definition.ts';

export function send(): Definition {
  const command = new Command('send')
    .description('Type into a task that was run with --stdin or --tty.')
    .argument('<task>', 'id, beginning of an id, or name')
    .argument('[text]', 'what to type; without a text and keys, it types what it reads on stdin')
    .option('--enter', 'then press Enter')
    .option(
      '--press <key>',
      'then press a key: enter, up, f5, ctrl-c, alt-x ...; may be repeated',
      values.key,
    )
    .option('--eof', 'then end the input')
    .option('--paste', 'paste the text instead of typing it; some programs treat pasted text differently')
    .option(
      '--timeout <duration>',
      'fail when the command reads nothing for this long (default: 5s)',
      values.duration,
    );
  return [
    command,
    async () => (await import('../send.ts')).send,
    [
      "outlive send repl 'print(6 * 7)' --enter",
      'outlive send dev --press ctrl-c',
      'outlive send sorter --eof < words',
    ],
  ];
}

export function screen(): Definition {
  const command = new Command('screen')
    .description('Print what the terminal of a task shows, or showed when the task ended.')
    .argument('<task>', 'id, beginning of an id, or name')
    .option('--cells', 'with --json, also print how the text looks');
  return [
    command,
    async () => (await import('../screen.ts')).screen,
    ['outlive screen repl', 'outlive screen repl --json | jq .cursor'],
  ];
}

export function attach(): Definition {
  const command = new Command('attach')
    .description('Take over the terminal of a task. Ctrl-\\ d detaches; the task continues.')
    .argument('<task>', 'id, beginning of an id, or name')
    .option('--read-only', 'only watch: you cannot type or change the size')
    .option(
      '--detach-key <key>',
      'the key that detaches, as for send --press; several: pressed one after the other (default: ctrl-\\ and d)',
      values.detachKey,
    );
  return [
    command,
    async () => (await import('../attach.ts')).attach,
    ['outlive attach repl', 'outlive attach --read-only build', 'outlive attach repl --detach-key ctrl-q'],
  ];
}

export function resize(): Definition {
  const command = new Command('resize')
    .description('Set the size of the terminal of a task.')
    .argument('<task>', 'id, beginning of an id, or name')
    .addArgument(
      new Argument('<colsxrows>', 'columns and rows, such as 120x40').argParser(values.terminalSize),
    );
  return [command, async () => (await import('../resize.ts')).resize, ['outlive resize repl 120x40']];
}

export function top(): Definition {
  const command = new Command('top')
    .description('Show all tasks on one screen: read logs, stop, restart, attach. ? shows the keys.')
    .option('--all-sessions', 'of all sessions, even in a shell that has its own session')
    .option('--here', 'only those in this folder and the folders below it')
    .option('--read-only', 'only watch: you cannot stop, restart, acknowledge or take over anything')
    .addHelpText(
      'after',
      '\nIt shows all sessions, unless --session, $OUTLIVE_SESSION or the shell of an\nagent names one.',
    );
  return [
    command,
    async () => (await import('../top.ts')).top,
    ['outlive top', 'outlive top --here', 'outlive top --read-only -s conversation-42'],
  ];
}
