import { Command, Option } from 'commander';
import { leftoversPolicies, outputWays } from '../../model/words.ts';
import { KillCommand } from '../kill-command.ts';
import { RunCommand } from '../run-command.ts';
import * as values from '../values.ts';
import type { Definition } from './definition.ts';

export function run(): Definition {
  const command = new RunCommand('run')
    .description('Start a command in the background, and print the id of its task.')
    .argument(
      '<command...>',
      'one argument: a shell command, as it is; several: a program and its arguments, each word quoted',
    )
    .option('-C, --cwd <dir>', 'working directory')
    .option('-e, --env <name=value>', 'add to the environment; may be repeated', values.pair)
    .option(
      '-n, --name <name>',
      'a name for the task; only one running task of a session can have it',
      values.name,
    )
    .option('--replace', 'stop the task that runs under that name, and take its place')
    .option('-l, --label <key=value>', 'a label; may be repeated', values.pair)
    .option(
      '-t, --timeout <duration>',
      'stop it after this time; none: never (default: 30m)',
      values.limitOrNone,
    )
    .option(
      '--grace <duration>',
      'the time between the first signal of a stop and SIGKILL (default: 3s)',
      values.duration,
    )
    .option('--shell <shell>', 'the shell that runs the command (default: bash, else sh)')
    .option('--separate', 'keep stderr apart')
    .option('--stdin', 'keep its stdin open, for outlive send; the command first reads what you pipe in')
    .option('--tty', 'give it a terminal, for outlive send, screen and attach')
    .option(
      '--size <colsxrows>',
      'the size of its terminal (default: as this terminal, else 80x24)',
      values.terminalSize,
    )
    .addOption(
      new Option(
        '--output <way>',
        'file: it writes to a file (default); pipe: it writes to a pipe, so it cannot erase its output',
      ).choices(outputWays),
    )
    .option('--unbuffered', 'ask programs to flush each line (Python, and C programs by stdbuf)')
    .option(
      '--max-output <size>',
      'stop it when it has written more than this; none: never (default: 1g)',
      values.sizeOrNone,
    )
    .option('--memory <size>', 'memory that it may use', values.size)
    .option('--cpu-time <duration>', 'CPU time that each of its processes may use', values.duration)
    .option('--processes <number>', 'processes and threads that it may have', values.whole)
    .option('--nice <number>', 'its nice value, -20 to 19', values.integer)
    .option('--bind-to <pid>', 'stop it when that process ends; or: session', values.bond)
    .option('--key <text>', 'when a task of the session has this key, use that task and start nothing')
    .option('--on-exit <command>', 'run this command with sh, once, when the task has ended')
    .addOption(
      new Option('--leftovers <policy>', 'what to do with processes that it leaves running').choices(
        leftoversPolicies,
      ),
    )
    .option(
      '--queue [number]',
      'when this many tasks of the session run (default: 64), wait for a turn instead of failing',
      values.places,
    )
    .option(
      '--after <task>',
      'start when that task of the session has completed; if it does not complete, fail without running',
    )
    .option('--wait [duration]', 'wait until it ends, or at most this long', values.waitDuration)
    .option('--follow', 'print the output while waiting')
    .option('--anyway', 'start it even in a sandbox that ends it with this shell call')
    .option(
      '--on <place>',
      'on a host of the fleet: its name, label:key=value, or any; takes fewer of these options',
    )
    .option(
      '--start-by <duration>',
      'with --on: never start it after this time; none: no bound (default: 10m)',
      values.limitOrNone,
    )
    .option(
      '--redispatch <number>',
      'with --on: how many times another host may start it again after its host is lost; it may then run twice (default: 0)',
      values.whole,
    )
    .option(
      '--secret <variable=name>',
      'with --on: set a variable to a value from the secrets file of the host; may be repeated',
      values.pair,
    )
    .passThroughOptions()
    .addHelpText(
      'after',
      '\nThe command reads what is piped or redirected into run, as with ssh:\ninside a loop that reads lines (while read), write: outlive run ... < /dev/null',
    );
  return [
    command,
    async () => (await import('../run.ts')).run,
    [
      'outlive run npm run dev',
      'outlive run --wait=10s npm test',
      "outlive run -n build -t 2h 'make -j8 && make install'",
      'outlive run sort < words',
      'outlive run --tty --size 120x40 python3',
      "outlive run --output pipe 'sort -o /dev/stdout words'",
      'outlive run --follow -- cargo build --release',
      'outlive run --queue=2 --after build npm test',
      'outlive run --on label:gpu --start-by 1h -- make train',
    ],
  ];
}

export function restart(): Definition {
  const command = new Command('restart')
    .description(
      'Run a task again, with the same command, options, name and limits, and print the new id. If the task runs, stop it first.',
    )
    .argument('<task>', 'id, beginning of an id, or name')
    .option(
      '-e, --env <name=value>',
      'add to the environment of the running task, or else of this shell; may be repeated',
      values.pair,
    )
    .option(
      '--grace <duration>',
      'the time between the first signal and SIGKILL (default: that of the task)',
      values.duration,
    )
    .option('--anyway', 'start it even in a sandbox that ends it with this shell call');
  return [
    command,
    async () => (await import('../restart.ts')).restart,
    ['outlive restart dev', 'outlive restart dev -e PORT=4000', 'outlive restart bgb-1a2b --grace 30s'],
  ];
}

export function ps(): Definition {
  const command = new Command('ps')
    .description('List the running tasks. On a terminal, leave out columns that do not fit.')
    .option('-a, --all', 'also tasks that have ended, with their dates')
    .option('--fleet', 'the tasks of the fleet that this machine uses')
    .option('--all-sessions', 'of all sessions')
    .option(
      '--status <status>',
      'only with this status, such as running, or one of several: failed,lost',
      values.status,
    )
    .option('-l, --label <key[=value]>', 'only with this label; may be repeated', values.label)
    .option('-n, --name <name>', 'only with this name; * stands for any text')
    .option('--here', 'only those in this folder and the folders below it')
    .option('--last <number>', 'only the newest, whether they run or not', values.whole)
    .option('-q, --quiet', 'only the ids')
    .option('--watch', 'keep the list up to date, until Ctrl-C');
  return [
    command,
    async () => (await import('../ps.ts')).ps,
    [
      'outlive ps',
      'outlive ps -a --json | jq -r .taskId',
      'outlive ps --here --status failed,timed_out',
      "outlive ps --last 5 --name 'web*'",
      'outlive kill $(outlive ps -q --label group=e2e)',
      'outlive ps --all-sessions --watch',
    ],
  ];
}

export function show(): Definition {
  const command = new Command('show')
    .description('Show everything about one task.')
    .argument('<task>', 'id, beginning of an id, or name')
    .option('--facts', 'also every fact of its log, in order');
  return [
    command,
    async () => (await import('../show.ts')).show,
    ['outlive show bgb-1a2b3c4d1a2b', 'outlive show build --facts'],
  ];
}

export function logs(): Definition {
  const command = new Command('logs')
    .description('Print the output of tasks. With several tasks, each line begins with the name of its task.')
    .argument('[task...]', 'ids, beginnings of ids, or names')
    .option('-f, --follow', 'keep printing, until the tasks end')
    .option('--all', 'of all running tasks; with -f also of those that start later, until Ctrl-C')
    .option('-n, --lines <number>', 'only this many last lines, of each task and stream', values.whole)
    .option('--bytes <size>', 'only this many bytes: the last, or the first from --offset on', values.size)
    .option('--offset <bytes>', 'begin at this byte', values.size)
    .option('--since <time>', 'only what was written since: 10m (ago), or 2026-11-28T09:30', values.moment)
    .option('--timestamps', 'begin each line with the time when it was written')
    .option('--grep <pattern>', 'only lines that match this regular expression; it ignores escapes')
    .option('--stdout', 'only stdout, of a task that was run with --separate')
    .option('--stderr', 'only stderr, of a task that was run with --separate')
    .option('--plain', 'as a terminal would show it: without escapes and overwritten text')
    .addHelpText(
      'after',
      '\nOn a terminal, long output goes through $PAGER, else through less.\nPAGER=cat: no pager.',
    );
  return [
    command,
    async () => (await import('../logs.ts')).logs,
    [
      'outlive logs build -n 20',
      'outlive logs -f bgb-1a',
      'outlive logs web worker --since 10m --timestamps',
      'outlive logs --all -f',
      "outlive logs build --grep '(?i)error|warning'",
      'outlive logs build --offset 4096 --json',
    ],
  ];
}

export function wait(): Definition {
  const command = new Command('wait')
    .description('Wait until tasks end, or until they do something; the exit status is that of the command.')
    .argument('<task...>', 'ids, beginnings of ids, or names')
    .option('--any', 'until one of them has ended')
    .option('--timeout <duration>', 'wait no longer', values.duration)
    .option(
      '-n, --lines <number>',
      'show this many lines of its output (default: the last 300 bytes)',
      values.whole,
    )
    .option(
      '--for <condition>',
      'until exit: it ends; pattern=RE: a line of output matches; port=N (or any): it listens there; idle=DURATION: it writes nothing for that long; screen=RE: a line on its terminal matches; input: it probably waits for input. May be repeated, with each kind once: the first that is true counts. The end of the task always ends the wait',
      values.condition,
    );
  return [
    command,
    async () => (await import('../wait.ts')).wait,
    [
      'outlive wait build',
      'outlive wait --any --timeout 10m bgb-1a2b bgb-9f00',
      "outlive wait dev --for 'pattern=listening on' --for port=3000 --timeout 1m",
    ],
  ];
}

export function watch(): Definition {
  const command = new Command('watch')
    .description(
      'Report each line of a task that matches a pattern, until the session acknowledges the line.',
    )
    .argument('<task>', 'id, beginning of an id, or name')
    .argument('<pattern>', 'a regular expression, as for wait --for pattern=RE')
    .option('--once', 'report only the first such line')
    .option('--remove', 'end the watch for this pattern, and drop its pending lines');
  return [
    command,
    async () => (await import('../watch.ts')).watch,
    [
      "outlive watch dev '(?i)error|warning'",
      "outlive watch dev --once 'listening on'",
      'outlive completions --follow --ack',
      "outlive watch dev --remove '(?i)error|warning'",
    ],
  ];
}

export function kill(): Definition {
  const command = new KillCommand('kill')
    .description('Stop tasks with all that they started; for ended tasks, stop what they left running.')
    .argument('[task...]', 'ids, beginnings of ids, or names')
    .option('--signal <name>', 'the first signal, also as -9 or -INT (default: TERM)', values.killSignalName)
    .option(
      '--grace <duration>',
      'the time between the first signal and SIGKILL (default: that of the task)',
      values.duration,
    )
    .option('--all', 'every running task of the session')
    .option('--bound', 'the tasks that were run with --bind-to session');
  return [
    command,
    async () => (await import('../kill.ts')).kill,
    [
      'outlive kill build',
      'outlive kill -9 dev',
      'outlive kill --signal INT --grace 10s bgb-1a2b',
      'outlive kill --all',
    ],
  ];
}
