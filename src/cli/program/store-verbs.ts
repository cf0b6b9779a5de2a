import { Argument, Command, Option } from 'commander';
import { agentKeys } from '../setup/agent-keys.ts';
import * as values from '../values.ts';
import type { Definition } from './definition.ts';

export function completions(): Definition {
  const command = new Command('completions')
    .description(
      'Print what is pending: ends of tasks, and lines that a watch has found. They stay pending until acknowledged.',
    )
    .option('--follow', 'keep printing those that come later')
    .option('--fleet', 'of the fleet that this machine is a client of, in place of the store')
    .option('--ack', 'acknowledge what was printed, so that outlive does not report it again')
    .option(
      '--next',
      'for a hook of an agent: acknowledge what the call before has printed, and print the rest',
    )
    .option(
      '--hook',
      'the same for a hook of Claude Code: read its event as JSON from stdin, and answer in JSON',
    )
    .option(
      '-n, --lines <number>',
      'show this many lines of the output of each (default: the last 300 bytes)',
      values.whole,
    );
  return [
    command,
    async () => (await import('../completions.ts')).completions,
    ['outlive completions --ack', 'outlive completions --next', 'outlive completions --follow --ack --json'],
  ];
}

export function prune(): Definition {
  const command = new Command('prune')
    .description('Remove acknowledged tasks that ended long ago, or the ended tasks that you name.')
    .argument('[task...]', 'ids, beginnings of ids, or names')
    .option(
      '--older-than <duration>',
      'only those that ended at least this long ago (default: 7d)',
      values.duration,
    )
    .option(
      '--max-bytes <size>',
      'then remove the oldest, until the rest takes no more than this',
      values.size,
    )
    .option('--all-sessions', 'of all sessions')
    .option('--unread', 'also those whose end was not acknowledged')
    .option('--dry-run', 'only say what would be removed');
  return [
    command,
    async () => (await import('../prune.ts')).prune,
    ['outlive prune', 'outlive prune build', 'outlive prune --older-than 1h --unread --dry-run'],
  ];
}

export function doctor(): Definition {
  const command = new Command('doctor')
    .description('Check the store, the shells and the tasks for problems.')
    .option(
      '--mend',
      'repair what can be repaired, without asking; it also stops what ended tasks have left running',
    );
  return [
    command,
    async () => (await import('../doctor.ts')).doctor,
    ['outlive doctor', 'outlive doctor --mend', 'outlive doctor --json'],
  ];
}

export function mcp(): Definition {
  const command = new Command('mcp')
    .description('Serve tasks to an agent over MCP, on stdin and stdout or over HTTP.')
    .option('--http', 'over Streamable HTTP, to clients that have the token')
    .option('--host <host>', 'the address to listen at (default: 127.0.0.1)')
    .option('--port <number>', 'the port to listen at (default: any that is free)', values.port)
    .option('--token-file <file>', 'a file with the token (default: $OUTLIVE_MCP_TOKEN, else a new one)')
    .option('--structured', 'also answer with structure, for programs; agents show it in place of the text');
  return [
    command,
    async () => (await import('../mcp.ts')).mcp,
    [
      'outlive mcp',
      'outlive mcp -s conversation-42',
      'outlive mcp --http --port 7357 --token-file ~/.outlive-token',
    ],
  ];
}

export function setup(): Definition {
  const agents = new Argument('[agent...]', 'the agents to set up; without one, setup lists them');
  // Told and completed, and not checked here: they have other names as well.
  agents.argChoices = [...agentKeys];
  const command = new Command('setup')
    .description('Add outlive to the configuration of an agent: show the changes, ask, and write them.')
    .addArgument(agents)
    .option('--project', 'change the project in this folder instead of the files of the user')
    .option('--undo', 'remove what setup has added')
    .option('--dry-run', 'only show what would change')
    .option('-y, --yes', 'write it without asking')
    .option('--plugin <dir>', 'write a plugin (claude) or an extension (gemini) into a new folder instead');
  return [
    command,
    async () => (await import('../setup.ts')).setup,
    [
      'outlive setup',
      'outlive setup claude',
      'outlive setup codex gemini --yes',
      'outlive setup cursor --project --dry-run',
      'outlive setup claude --undo',
    ],
  ];
}

export function ui(): Definition {
  const command = new Command('ui')
    .description('Serve a dashboard of all tasks to your browser, until Ctrl-C.')
    .option('--port <number>', 'the port to listen at (default: any that is free)', values.port)
    .option(
      '--host <host>',
      'the address to listen at; other machines reach it with --token-file (default: 127.0.0.1)',
    )
    .option('--read-only', 'the page cannot stop, remove, restart or type')
    .option('--no-open', 'open no browser: only print the address')
    .option(
      '--token-file <file>',
      'a file with the token that the page asks for (default: a new one, in the address)',
    )
    .option(
      '--idle <duration>',
      'end when no page has been open for this long (default: never)',
      values.duration,
    );
  return [
    command,
    async () => (await import('../ui.ts')).ui,
    ['outlive ui', 'outlive ui --read-only --no-open --port 7358', 'outlive ui --idle 10m'],
  ];
}

export function completion(): Definition {
  const command = new Command('completion')
    .description('Print the completion script of a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']));
  return [
    command,
    async () => (await import('../completion.ts')).completion,
    [
      'source <(outlive completion bash)',
      'outlive completion zsh > ~/.zsh/completions/_outlive',
      'outlive completion fish > ~/.config/fish/completions/outlive.fish',
    ],
  ];
}

export function fleet(): Definition {
  const command = new Command('fleet')
    .description(
      'Make a fleet of machines, serve it, let machines in, and look after them. It needs nats-server, and packages of NATS.',
    )
    .addArgument(
      new Argument('<action>', 'what to do').choices([
        ...['init', 'server', 'invite', 'join', 'hosts', 'cordon', 'drain', 'remove', 'forget'],
      ]),
    )
    .argument('[word]', 'the invitation to join with, or the host to cordon, drain, remove or forget')
    .option(
      '--address <address>',
      'init: where members reach the server; repeat it for three servers (default: 127.0.0.1:4222)',
      values.several,
    )
    .option(
      '--listen <host>',
      'init: where the server listens (default: 127.0.0.1 for an address on loopback, else 0.0.0.0)',
    )
    .option('--nats <path>', 'server: the program nats-server (default: that of the PATH)')
    .addOption(
      new Option(
        '--number <number>',
        'server: of three servers, which one this machine runs (default: 1)',
      ).choices(['1', '2', '3']),
    )
    .option('--elsewhere', 'server: run a coordinator alone, for servers that others run')
    .addOption(
      new Option('--role <role>', 'invite: somebody who uses the fleet, in this role').choices([
        'viewer',
        'agent',
        'admin',
      ]),
    )
    .option('-l, --label <key=value>', 'invite: a label of the host; may be repeated', values.label)
    .option(
      '--slots <number>',
      'invite: tasks that may run on the host at a time (default: its cores)',
      values.whole,
    )
    .option('--expires <duration>', 'invite: how long the invitation is good (default: 1d)', values.duration)
    .option('--name <name>', "join: the name of the host (default: the machine's, made to fit)")
    .addOption(
      new Option(
        '--fence <policy>',
        'join: what becomes of tasks when the coordinator is out of reach for long (default: keep)',
      ).choices(['keep', 'stop']),
    )
    .option('--enrol-only', 'join: let the host in, and run no agent')
    .option(
      '--service',
      'join: have systemd run the agent of this user, now and from each boot on; tasks go on when it ends',
    )
    .option('--remove', 'join --service: end that agent, and remove its unit')
    .option('--watch', 'hosts: keep showing them')
    .option('--undo', 'cordon, drain: take it back');
  return [
    command,
    async () => (await import('../fleet/fleet.ts')).fleet,
    [
      'outlive fleet init',
      'outlive fleet server',
      'outlive fleet invite -l gpu --slots 8',
      "outlive fleet join 'outlive+tls://box:4222/#...'",
      'outlive fleet join --service',
      'outlive fleet hosts',
      'outlive fleet drain h3',
    ],
  ];
}
