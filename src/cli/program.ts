import { leftoversPolicies } from '../model/words.ts';
import { Argument, Command, Option } from './packages.ts';
import { RunCommand } from './run-command.ts';
import * as values from './values.ts';
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
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [verb]', 'print help for a verb')
    .enablePositionalOptions()
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false, optionTerm: termOf })
    .addHelpText('after', programExamples);
  const add = (command: Command, load: () => Promise<Verb<never>>, examples: readonly string[]): void => {
    common(command)
      .configureHelp({ optionTerm: termOf })
      .helpOption('-h, --help', 'print help')
      .addHelpText('after', `\nExamples:\n${examples.map((line) => `  $ ${line}`).join('\n')}`)
      .action(() => perform(load, command.args, command));
    program.addCommand(command);
  };
  for (const [command, load, examples] of definitions(only)) add(command, load, examples);
  return program;
}

const programExamples = `
Examples:
  $ outlive run --wait=10s npm test     wait for a while, then leave it in the background
  $ outlive ps                          what runs
  $ outlive completions --ack           what has ended since somebody last asked

Every verb has --help, and --json where it prints data. A TASK is an id, the beginning of one, or a name.`;

type Definition = readonly [Command, () => Promise<Verb<never>>, readonly string[]];

const verbs = { run, ps, show, logs, wait, kill, completions, prune, doctor, mcp, completion };

function definitions(only = ''): Definition[] {
  const one = Object.hasOwn(verbs, only) ? verbs[only as keyof typeof verbs] : null;
  return one === null ? Object.values(verbs).map((define) => define()) : [one()];
}

function run(): Definition {
  const command = new RunCommand('run')
    .description('Start a command in the background, and print the id of its task.')
    .argument('<command...>', 'one argument: a shell command as it stands; several: quoted as an argv')
    .option('-C, --cwd <dir>', 'working directory')
    .option('-e, --env <name=value>', 'add to the environment; may be repeated', values.pair)
    .option('-n, --name <name>', 'a name for the task')
    .option('-l, --label <key=value>', 'a label; may be repeated', values.pair)
    .option(
      '-t, --timeout <duration>',
      'stop it after so long; none: never (default: 30m)',
      values.durationOrNone,
    )
    .option(
      '--grace <duration>',
      'between the first signal of a stop and SIGKILL (default: 3s)',
      values.duration,
    )
    .option('--shell <shell>', 'the shell that runs the command (default: bash, else sh)')
    .option('--separate', 'keep stderr apart')
    .option(
      '--unbuffered',
      'have programs that hold back what they write to a file show lines at once, where that can be',
    )
    .option(
      '--max-output <size>',
      'stop it when it has written more; none: never (default: 1g)',
      values.sizeOrNone,
    )
    .option('--memory <size>', 'memory that it may use', values.size)
    .option('--cpu-time <duration>', 'CPU time that each of its processes may use', values.duration)
    .option('--processes <number>', 'processes and threads that it may have', values.whole)
    .option('--nice <number>', 'its nice value, -20 to 19', values.integer)
    .option('--bind-to <pid>', 'stop it when that process is gone; or: session', values.bond)
    .addOption(
      new Option('--leftovers <policy>', 'what becomes of processes that are alive after it').choices(
        leftoversPolicies,
      ),
    )
    .option(
      '--queue',
      'wait for a turn when the session runs as many tasks as it may, instead of being refused',
    )
    .option('--wait [duration]', 'stay in the foreground until it ends, or that long', values.waitDuration)
    .option('--follow', 'print the output while waiting')
    .passThroughOptions();
  return [
    command,
    async () => (await import('./run.ts')).run,
    [
      'outlive run npm run dev',
      'outlive run --wait=10s npm test',
      "outlive run -n build -t 2h 'make -j8 && make install'",
      'outlive run --follow -- cargo build --release',
    ],
  ];
}

function ps(): Definition {
  const command = new Command('ps')
    .description('List the tasks that run.')
    .option('-a, --all', 'those that ended, too')
    .option('--all-sessions', 'of all sessions')
    .option('--watch', 'go on, and draw the list anew');
  return [
    command,
    async () => (await import('./ps.ts')).ps,
    ['outlive ps', 'outlive ps -a --json | jq -r .taskId', 'outlive ps --all-sessions --watch'],
  ];
}

function show(): Definition {
  const command = new Command('show')
    .description('Show everything about one task.')
    .argument('<task>', 'id, beginning of an id, or name')
    .option('--facts', 'its life, from its log');
  return [
    command,
    async () => (await import('./show.ts')).show,
    ['outlive show bgb-1a2b3c4d', 'outlive show build --facts'],
  ];
}

function logs(): Definition {
  const command = new Command('logs')
    .description('Print the output of a task.')
    .argument('<task>', 'id, beginning of an id, or name')
    .option('-f, --follow', 'print what comes, until the task ends')
    .option('-n, --lines <number>', 'only the last lines', values.whole)
    .option('--bytes <size>', 'only so many bytes: the last ones, or those from --offset on', values.size)
    .option('--offset <bytes>', 'begin at this byte', values.size)
    .option('--stderr', 'stderr, of a task that was run with --separate')
    .option('--plain', 'without escapes, and of lines that were written over the last state');
  return [
    command,
    async () => (await import('./logs.ts')).logs,
    ['outlive logs build -n 20', 'outlive logs -f bgb-1a', 'outlive logs build --offset 4096 --json'],
  ];
}

function wait(): Definition {
  const command = new Command('wait')
    .description('Wait for the end of tasks, or for what they do; the exit status is the command’s own.')
    .argument('<task...>', 'ids, beginnings of ids, or names')
    .option('--any', 'until one of them has ended')
    .option('--timeout <duration>', 'wait no longer', values.duration)
    .option(
      '--for <condition>',
      'until exit, pattern=RE in a line of output, port=N (or any) is listened at, or idle=DURATION without output; may be repeated, the first counts, and the end always ends the wait',
      values.condition,
    );
  return [
    command,
    async () => (await import('./wait.ts')).wait,
    [
      'outlive wait build',
      'outlive wait --any --timeout 10m bgb-1a2b bgb-9f00',
      "outlive wait dev --for 'pattern=listening on' --for port=3000 --timeout 1m",
    ],
  ];
}

function kill(): Definition {
  const command = new Command('kill')
    .description('Stop tasks whole; of ended ones, what they left running.')
    .argument('[task...]', 'ids, beginnings of ids, or names')
    .option('--signal <name>', 'the first signal (default: TERM)', values.killSignalName)
    .option('--grace <duration>', 'between the first signal and SIGKILL', values.duration)
    .option('--all', 'every task of the session that runs')
    .option('--bound', 'those that were run with --bind-to session');
  return [
    command,
    async () => (await import('./kill.ts')).kill,
    ['outlive kill build', 'outlive kill --signal INT --grace 10s bgb-1a2b', 'outlive kill --all'],
  ];
}

function completions(): Definition {
  const command = new Command('completions')
    .description('Print what the session is owed: the tasks that ended and were not acknowledged.')
    .option('--follow', 'go on with those that come')
    .option('--ack', 'acknowledge what was printed, so that it is not told again');
  return [
    command,
    async () => (await import('./completions.ts')).completions,
    ['outlive completions --ack', 'outlive completions --follow --ack --json'],
  ];
}

function prune(): Definition {
  const command = new Command('prune')
    .description('Remove tasks that ended long ago and were acknowledged.')
    .option('--older-than <duration>', 'that ended at least so long ago (default: 7d)', values.duration)
    .option('--max-bytes <size>', 'then, the oldest first, until what is left takes no more', values.size)
    .option('--all-sessions', 'of all sessions')
    .option('--dry-run', 'only say what would be removed');
  return [
    command,
    async () => (await import('./prune.ts')).prune,
    ['outlive prune', 'outlive prune --older-than 1h --dry-run'],
  ];
}

function doctor(): Definition {
  const command = new Command('doctor')
    .description('Look for what is wrong with the store, the shells and the tasks.')
    .option('--mend', 'mend what can be mended, without asking');
  return [
    command,
    async () => (await import('./doctor.ts')).doctor,
    ['outlive doctor', 'outlive doctor --mend', 'outlive doctor --json'],
  ];
}

function mcp(): Definition {
  const command = new Command('mcp')
    .description('Serve tasks to an agent over MCP, on stdin and stdout or over HTTP.')
    .option('--http', 'over Streamable HTTP, to whoever has the token')
    .option('--host <host>', 'the address to listen at (default: 127.0.0.1)')
    .option('--port <number>', 'the port to listen at (default: any that is free)', values.whole)
    .option('--token-file <file>', 'a file with the token (default: $OUTLIVE_MCP_TOKEN, else a new one)');
  return [
    command,
    async () => (await import('./mcp.ts')).mcp,
    [
      'outlive mcp',
      'outlive mcp -s conversation-42',
      'outlive mcp --http --port 7357 --token-file ~/.outlive-token',
    ],
  ];
}

function completion(): Definition {
  const command = new Command('completion')
    .description('Print the completion script of a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']));
  return [
    command,
    async () => (await import('./completion.ts')).completion,
    [
      'source <(outlive completion bash)',
      'outlive completion zsh > ~/.zsh/completions/_outlive',
      'outlive completion fish > ~/.config/fish/completions/outlive.fish',
    ],
  ];
}

function common(command: Command): Command {
  return command
    .option('-s, --session <id>', 'the session (default: $OUTLIVE_SESSION, else "default")')
    .option('--store <dir>', 'the store (default: $OUTLIVE_HOME, else the platform’s state folder)')
    .option('--json', 'print data as one JSON object a line');
}

/** A value that may be left out must be joined to its option. */
function termOf(option: Option): string {
  return option.optional ? option.flags.replace(' [', '[=') : option.flags;
}
