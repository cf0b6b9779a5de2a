import { Argument, Command, Option } from 'commander';
import { agentKeys } from '../setup/agent-keys.ts';
import * as values from '../values.ts';
import type { Definition } from './definition.ts';

export function completions(): Definition {
  const command = new Command('completions')
    .description(
      'Print what is pending: ends of tasks, and lines that a watch has found. They stay pending until acknowledged.',
    )
    .option('--follow', 'keep printing new ones')
    .option('--fleet', 'of the fleet that this machine uses, instead of the store')
    .option('--ack', 'acknowledge what was printed, so that outlive does not report it again')
    .option(
      '--next',
      'for a hook of an agent: acknowledge what the previous call printed, and print the rest',
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
      'then remove the oldest, until the rest takes at most this much',
      values.size,
    )
    .option('--all-sessions', 'of all sessions')
    .option('--unread', 'also tasks with an unacknowledged end')
    .option('--dry-run', 'only print what prune would remove');
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
      'repair what it can, without asking; it also stops processes that ended tasks left running',
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
    .option('--http', 'over Streamable HTTP, to clients that send the token')
    .option('--host <host>', 'the address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'the port to listen on (default: any free one)', values.port)
    .option('--token-file <file>', 'a file with the token (default: $OUTLIVE_MCP_TOKEN, else a new one)')
    .option(
      '--structured',
      'also answer with structured content, for programs; agents then show it instead of the text',
    );
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
    .option('--undo', 'remove what setup added')
    .option('--dry-run', 'only show what would change')
    .option('-y, --yes', 'write the changes without asking')
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
    .option('--port <number>', 'the port to listen on (default: any free one)', values.port)
    .option(
      '--host <host>',
      'the address to listen on; other machines reach it with --token-file (default: 127.0.0.1)',
    )
    .option('--read-only', 'the page cannot stop, remove or restart tasks, or type into them')
    .option('--no-open', 'only print the address, without opening a browser')
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
      'Create a fleet of machines, serve it, let machines join, and manage them. It needs nats-server and the packages of NATS.',
    )
    .addArgument(
      new Argument('<action>', 'what to do').choices([
        ...['init', 'server', 'invite', 'join', 'hosts', 'cordon', 'drain', 'remove', 'forget'],
      ]),
    )
    .argument('[word]', 'the invitation to join with, or the host to cordon, drain, remove or forget')
    .option(
      '--address <address>',
      'init: the address at which members reach the server; repeat it to name three servers (default: 127.0.0.1:4222)',
      values.several,
    )
    .option(
      '--listen <host>',
      'init: the address on which the server listens (default: 127.0.0.1 for an address on loopback, else 0.0.0.0)',
    )
    .option('--nats <path>', 'server: the nats-server program (default: the one in PATH)')
    .addOption(
      new Option(
        '--number <number>',
        'server: which of three servers this machine runs (default: 1)',
      ).choices(['1', '2', '3']),
    )
    .option('--elsewhere', 'server: run only a coordinator, for servers that run elsewhere')
    .addOption(
      new Option('--role <role>', 'invite: a user of the fleet, with this role').choices([
        'viewer',
        'agent',
        'admin',
      ]),
    )
    .option('-l, --label <key=value>', 'invite: a label of the host; may be repeated', values.label)
    .option(
      '--slots <number>',
      'invite: how many tasks the host may run at a time (default: its cores)',
      values.whole,
    )
    .option('--expires <duration>', 'invite: how long the invitation is valid (default: 1d)', values.duration)
    .option('--name <name>', 'join: the name of the host (default: from the name of the machine)')
    .addOption(
      new Option(
        '--fence <policy>',
        'join: what to do with tasks when the coordinator cannot be reached for long (default: keep)',
      ).choices(['keep', 'stop']),
    )
    .option('--enrol-only', 'join: join as a host, but run no agent')
    .option(
      '--service',
      'join: have systemd run the agent as this user, now and after each boot; tasks keep running when the agent ends',
    )
    .option('--remove', 'join --service: stop that agent, and remove its unit')
    .option('--watch', 'hosts: keep the list up to date, until Ctrl-C')
    .option('--undo', 'cordon, drain: undo it');
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
