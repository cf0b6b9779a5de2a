import { Command, type Option } from 'commander';
import type { Definition } from './program/definition.ts';
import { aliasesOf, verbOf } from './program/other-words.ts';
import { exitStatuses } from './program/statuses.ts';
import { completion, completions, doctor, fleet, mcp, prune, setup, ui } from './program/store-verbs.ts';
import { kill, logs, ps, restart, run, show, wait, watch } from './program/task-verbs.ts';
import { attach, resize, screen, send, top } from './program/terminal-verbs.ts';
import type { Verb } from './verb.ts';

/** Hands a verb over for running. Verbs are loaded when they are used, so that starting costs little. */
export type Perform = (
  load: () => Promise<Verb<never>>,
  operands: readonly string[],
  command: Command,
) => void;

/**
 * The command line: verbs, options and what help says of them. It does nothing by itself: parsing it hands one verb
 * to `perform`.
 * @param only the one verb that is meant, which spares making the others; anything else: the whole command line.
 */
export function buildProgram(version: string, perform: Perform, only?: string): Command {
  const program = new Command('outlive')
    .description('Shell commands that outlive the agent that started them.')
    .version(version, '-V, --version', 'print the version')
    .option(
      '--host <address>',
      'run the verb on another machine, over ssh: ssh://user@box; may be repeated for ps (default: $OUTLIVE_HOST, else this machine)',
    )
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [verb]', 'print help for a verb')
    .enablePositionalOptions()
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false, optionTerm: termOf })
    .addHelpText('after', programExamples);
  const add = (command: Command, load: () => Promise<Verb<never>>, examples: readonly string[]): void => {
    common(command)
      .configureHelp({ optionTerm: termOf })
      .helpOption('-h, --help', 'print help')
      .addHelpText('after', alsoCalled(command.name()))
      .addHelpText('after', `\nExamples:\n${examples.map((line) => `  $ ${line}`).join('\n')}`)
      // Made when it is shown: each start of the program comes by here.
      .addHelpText('after', () => exitStatuses(command.name()))
      .action(() => perform(load, command.args, command));
    program.addCommand(command);
  };
  for (const [command, load, examples] of definitions(only)) add(command, load, examples);
  return program;
}

const programExamples = `
Examples:
  $ outlive run --wait=10s npm test   wait for 10 seconds, then leave it running
  $ outlive ps                        what runs
  $ outlive logs -f dev               the output of a task, as it arrives
  $ outlive completions --ack         what has ended since you last asked
  $ outlive --host ssh://box ps       what runs on another machine

Every verb has --help, and --json where it prints data. A TASK is an id, the
beginning of one, or a name.`;

const verbs = {
  run,
  restart,
  ps,
  show,
  logs,
  wait,
  watch,
  send,
  screen,
  attach,
  resize,
  top,
  kill,
  completions,
  prune,
  doctor,
  ui,
  mcp,
  setup,
  fleet,
  completion,
};

function definitions(only = ''): Definition[] {
  const verb = verbOf(only);
  const one = Object.hasOwn(verbs, verb) ? verbs[verb as keyof typeof verbs] : null;
  return one === null ? Object.values(verbs).map((define) => define()) : [one()];
}

function alsoCalled(verb: string): string {
  const others = aliasesOf(verb);
  return others.length === 0 ? '' : `\nAlso called: ${others.join(', ')}`;
}

function common(command: Command): Command {
  return command
    .option(
      '-s, --session <id>',
      'the session (default: $OUTLIVE_SESSION, else the conversation of the agent whose shell this is, else "default")',
    )
    .option('--store <dir>', 'the store (default: $OUTLIVE_HOME, else the platform’s state folder)')
    .option('--json', 'print data as one JSON object a line');
}

/** A value that may be left out must be joined to its option. */
function termOf(option: Option): string {
  return option.optional ? option.flags.replace(' [', '[=') : option.flags;
}
