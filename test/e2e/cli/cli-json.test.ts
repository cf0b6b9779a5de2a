import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { CommandLine, objects, oneObject, type Snapshot } from '../../support/command-line.ts';
import { onWindows } from '../../support/processes.ts';

/** JSON whose paths are those of Unix. */
function withSlashes(json: string): string {
  return onWindows ? json.replaceAll('\\\\', '/') : json;
}

/** What changes from run to run, replaced by what it is. */
function pinned(cli: CommandLine, { taskId, ...rest }: Snapshot): Snapshot {
  const text = withSlashes(JSON.stringify(rest)).replaceAll(taskId, 'ID').replaceAll(cli.base, 'BASE');
  const folder = /sessions\/default-[0-9a-f]{16}/g;
  const value: Snapshot = JSON.parse(text.replace(folder, 'sessions/DEFAULT'));
  for (const time of [
    'createdAt',
    'startedAt',
    'endedAt',
    'durationMs',
    'cpuMs',
    'peakBytes',
    'pid',
    'shimPid',
  ]) {
    if (typeof value[time] === 'number') value[time] = typeof value[time];
  }
  if (typeof value.output.lastWrittenAt === 'number') value.output.lastWrittenAt = 'number';
  return value;
}

const ended = {
  sessionId: 'default',
  name: 'build',
  command: 'echo done; exit 3',
  cwd: 'BASE',
  status: 'failed',
  statusReason: null,
  exitCode: 3,
  exitSignal: null,
  spawnError: null,
  pid: 'number',
  shimPid: 'number',
  createdAt: 'number',
  startedAt: 'number',
  endedAt: 'number',
  lastSeenAt: null,
  durationMs: 'number',
  timeoutMs: 1_800_000,
  cpuMs: onWindows ? null : 'number',
  peakBytes: onWindows ? null : 'number',
  output: {
    path: 'BASE/store/sessions/DEFAULT/output/ID.out',
    stderrPath: null,
    bytes: 5,
    erasedBytes: 0,
    droppedBytes: 0,
    preview: 'done\n',
    truncated: false,
    lastWrittenAt: 'number',
  },
  leftovers: [],
  limits: [],
  containment: null,
  after: null,
  key: 'nightly build',
  replaces: null,
  damaged: false,
  delivered: false,
  pipeStatus: null,
  stdin: 'none',
  tty: null,
  attached: [],
  labels: { kind: 'test' },
};

test('the snapshot of a task is the same wherever it is printed', async () => {
  await using cli = new CommandLine();
  const options = ['-n', 'build', '-l', 'kind=test', '--key', 'nightly build', '--shell', 'sh'];
  const { stdout } = await cli.run('run', '--wait', '--json', ...options, 'echo done; exit 3');
  assert.deepEqual(pinned(cli, oneObject(stdout)), ended);
  const told = { ...ended, delivered: true };
  const [ps, wait, kill] = await Promise.all([
    cli.run('ps', '-a', '--json'),
    cli.run('wait', '--json', 'build'),
    cli.run('kill', '--json', 'build'),
  ]);
  for (const answer of [ps, wait, kill]) assert.deepEqual(pinned(cli, oneObject(answer.stdout)), told);
});

/** A command that fails, with all that can be told of one. */
const build = [
  'echo done; exit 3',
  ...['-n', 'build', '-l', 'kind=test', '--key', 'nightly build', '--shell', 'sh'],
] as const;

test('a completion is a snapshot', async () => {
  await using cli = new CommandLine();
  await cli.ended(...build);
  const { stdout } = await cli.run('completions', '--json');
  assert.deepEqual(pinned(cli, oneObject(stdout)), ended);
});

test('show adds the fields that only show has', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended(...build);
  const { shell, spawnedBy, ...shown } = pinned(cli, await cli.snapshot(taskId));
  assert.match(shell, /^(?:\w:)?\/.*\/sh(?:\.exe)?$/);
  assert.deepEqual(
    [typeof spawnedBy.pid, spawnedBy.host],
    ['number', onWindows ? `${hostname()} (Windows)` : hostname()],
  );
  assert.deepEqual(shown, {
    ...ended,
    bounds: {
      timeoutMs: 1_800_000,
      graceMs: 3_000,
      maxOutputBytes: 1_073_741_824,
      keepOutputBytes: 104_857_600,
    },
    leftoversPolicy: 'report',
    outputWay: 'file',
    bindTo: null,
    onExit: null,
    onExitPath: null,
    logPath: 'BASE/store/sessions/DEFAULT/tasks/ID.jsonl',
    ports: [],
    processes: [],
    watches: [],
  });
});

test('show --facts, logs, wait --for, prune and doctor print their own kinds of objects', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('echo ready', '-n', 'build');
  const answers = await Promise.all([
    cli.run('show', '--facts', '--json', taskId),
    cli.run('logs', '--json', taskId),
    cli.run('wait', '--json', '--for', 'pattern=rea(d)y', taskId),
    cli.run('prune', '--json', '--dry-run', '--older-than', '0s'),
    cli.run('doctor', '--json'),
  ]);
  const [facts = [], logs = [], wait = [], prune = [], doctor = []] = answers.map(({ stdout }) =>
    objects(stdout),
  );
  assert.deepEqual(Object.keys(facts[0] ?? {}), ['fact', 'at', 'text']);
  assert.deepEqual(logs, [
    {
      taskId,
      stream: 'stdout',
      offset: 0,
      nextOffset: 6,
      size: 6,
      omittedBytes: 0,
      beginsAt: 0,
      more: false,
      text: 'ready\n',
    },
  ]);
  const { snapshot, ...waited } = wait[0] ?? {};
  assert.equal(snapshot.taskId, taskId);
  const match = { offset: 0, nextOffset: 5, text: 'ready', groups: ['d'], line: 'ready', lineOffset: 0 };
  const nothing = { port: null, idleMs: null, screen: null, input: null };
  assert.deepEqual(waited, { taskId, cause: 'pattern', match, ...nothing, beginsAt: 0 });
  const kept = { running: 0, unread: 1, watched: 0, leftovers: 0, young: 0 };
  assert.deepEqual(prune, [{ taskIds: [], bytes: 0, dryRun: true, kept }]);
  for (const finding of doctor) {
    assert.deepEqual(Object.keys(finding), ['check', 'level', 'message', 'advice', 'canMend', 'mended']);
  }
});
