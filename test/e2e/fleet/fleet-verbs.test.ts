import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { objects, oneObject } from '../../support/command-line.ts';
import { MadeFleet } from '../../support/fleet/machines.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats };

test('three machines join, and tasks run on them as on this machine', options, async () => {
  await using fleet = await MadeFleet.make();
  await fleet.host('h1', '-l', 'gpu', '--slots', '2');
  const machine = await fleet.host('h2', '-l', 'region=eu');
  await fleet.host('h3');
  const hosts = objects((await fleet.run('fleet', 'hosts', '--json')).stdout);
  assert.deepEqual(hosts.map(({ host, state, labels }) => [host, state, labels]).sort(), [
    ['h1', 'live', { gpu: '' }],
    ['h2', 'live', { region: 'eu' }],
    ['h3', 'live', {}],
  ]);
  assert.equal(hosts.find(({ host }) => host === 'h1')?.slots, 2);

  // Where it runs, what it gets, and how it ends.
  const labelled = await fleet.on('label:region=eu', 'echo $OUTLIVE_ATTEMPT $WHO; exit 3', '-e', 'WHO=me');
  assert.match(labelled, /^h2\/bgb-[0-9a-f]{12}$/);
  const waited = await fleet.run('wait', labelled);
  assert.deepEqual([waited.status, waited.stderr], [3, '']);
  assert.match(waited.stdout, new RegExp(`^${labelled} failed, exit 3: echo`));
  assert.equal((await fleet.run('logs', labelled)).stdout, '1 me\n');
  const shown = oneObject((await fleet.run('show', '--json', labelled)).stdout);
  assert.deepEqual([shown.state, shown.end.exitCode, shown.snapshot.status], ['delivered', 3, 'failed']);
  // The limit of a local task.
  assert.equal(shown.snapshot.timeoutMs, 30 * 60_000);

  // What it types and prints, as it comes.
  const asked = await fleet.on('h1', 'echo ready; read x; echo got $x; sleep 1000', '--stdin', '-n', 'asked');
  const following = fleet.start(['logs', '-f', asked]);
  await following.says('ready');
  assert.deepEqual(await fleet.run('send', asked, 'this\n'), { status: 0, stdout: '', stderr: '' });
  await following.says('got this');
  const listed = await fleet.run('ps', '--fleet');
  assert.match(listed.stdout, new RegExp(`^${asked}\tdefault\tasked\trunning\t`));
  const killed = await fleet.run('kill', asked);
  assert.match(killed.stdout, new RegExp(`^${asked} killed`));
  assert.equal((await following.answer).status, 0);
  assert.equal((await fleet.run('wait', asked)).status, 123);

  // What wait and kill have told is not told again, but in another session it is not theirs. Other ends are told until acknowledged.
  const other = await fleet.on('h2', 'echo said; exit 5', '-s', 'other', '-t', 'none');
  assert.equal((await fleet.run('wait', other)).status, 5);
  assert.equal((await fleet.run('completions', '--fleet')).stdout, '');
  const inOther = async (...words: string[]): Promise<string> =>
    (await fleet.run('completions', '--fleet', '-s', 'other', ...words)).stdout;
  assert.match(await inOther('--ack'), new RegExp(`${other} failed, exit 5[\\s\\S]*\\| said`));
  assert.equal(await inOther(), '');
  // The host has forgotten the name in the fleet by then. The output is read all the same, once and followed.
  await waitFor(
    () => readdirSync(join(machine.folder.path, 'agent', 'attempts')).length === 0,
    'the host to forget what was acknowledged',
  );
  for (const words of [['logs'], ['logs', '-f']])
    assert.deepEqual(await fleet.run(...words, other), { status: 0, stdout: 'said\n', stderr: '' });
  const kept = oneObject((await fleet.run('show', '--json', other)).stdout);
  assert.deepEqual([kept.state, kept.snapshot.exitCode, kept.snapshot.timeoutMs], ['delivered', 5, null]);
});

test('in the foreground the output and the exit status are those of the command', options, async () => {
  await using fleet = await MadeFleet.make();
  await fleet.host('h1');
  const ran = await fleet.run('run', '--on', 'any', '--follow', '--', 'seq 1 20000; exit 7');
  assert.equal(ran.status, 7, ran.stderr);
  assert.equal(ran.stdout, Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join(''));
  const brief = await fleet.run('run', '--on', 'any', '--wait=20s', '--', 'echo brief; exit 8');
  assert.deepEqual([brief.status, brief.stdout, brief.stderr], [8, 'brief\n', '']);
  assert.equal((await fleet.run('completions', '--fleet')).stdout, '');
});

test(
  'a wait ends when its time is up, and with --any at the first end; a follower may leave',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    await fleet.host('h1');
    const begun = performance.now();
    const waited = await fleet.run('run', '--on', 'any', '--wait=2s', '--', 'echo begun; sleep 1000');
    assert.deepEqual([waited.status, waited.stdout], [122, 'begun\n']);
    const [, task = ''] =
      /^outlive: (h1\/bgb-\w+) is in the background: after 2s it goes on\..*outlive wait \1$/m.exec(
        waited.stderr,
      ) ?? assert.fail(waited.stderr);
    const following = fleet.start(['logs', '-f', task]);
    await following.says('begun');
    assert.deepEqual((await following.interrupted()).stderr, '');
    const other = await fleet.on('any', 'exit 3');
    assert.equal((await fleet.run('wait', '--any', task, other)).status, 3);
    // The coordinator answers a wait after 20 s. Nothing here may take so long.
    assert.ok(performance.now() - begun < 20_000, `${performance.now() - begun} ms`);
  },
);

test('the same key gives the same task, and nothing starts twice', options, async () => {
  await using fleet = await MadeFleet.make();
  const machine = await fleet.host('h1');
  const file = join(machine.base, 'starts');
  const command = `echo started >> '${file}'; sleep 1000`;
  const first = await fleet.on('any', command, '--key', 'k');
  assert.equal(await fleet.on('any', command, '--key', 'k'), first);
  // The agent is killed, and comes back to a task that runs.
  await machine.killAgent();
  await machine.restart();
  assert.equal(await fleet.on('any', command, '--key', 'k'), first);
  await waitFor(async () => (await fleet.run('kill', first)).status === 0, 'the host to be back');
  assert.equal(readFileSync(file, 'utf8'), 'started\n');
});

test('requests that a fleet cannot serve are refused before anything is done', options, async () => {
  await using fleet = await MadeFleet.make();
  await fleet.host('h1');
  const refused: readonly (readonly [words: string[], status: number, said: RegExp])[] = [
    [['run', '--on', 'h9', 'true'], 125, /h9/],
    [['run', '--on', 'label:nowhere', 'true'], 125, /found none that matches/],
    [['run', '--on', 'NO SUCH', 'true'], 64, /expected the name of a host, any, or labels/],
    [['run', '--on', 'h1', '--separate', 'cat'], 64, /found --separate/],
    [['run', '--on', 'h1', '--size', '80x24', 'cat'], 64, /expected --tty with --size/],
    [['attach', 'h1/bgb-000000000000'], 64, /expected stdin and stdout to be a terminal/],
    [['run', '--on', 'h1', '-C', 'relative', 'true'], 64, /from \/ on/],
    [['logs', 'h1/bgb-000000000000'], 120, /no record of "bgb-000000000000"\. See: outlive ps --fleet -a/],
    [['logs', 'h1/bgb-0000'], 120, /by its host and its whole id[\s\S]*outlive ps --fleet -a/],
    [['fleet', 'invite', '--slots', '0'], 64, /expected --slots from 1 to 10000; found 0/],
    [['fleet', 'invite', '--expires', '5s'], 64, /expected --expires from 1m to 30d; found 5s/],
    [['fleet', 'join', '--name', 'Big Box', 'outlive+tls://x'], 64, /small letters[\s\S]*found "Big Box"/],
    [['logs', '--grep', 'x', 'h1/bgb-000000000000'], 64, /found --grep/],
    [['fleet', 'invite', '--nats', 'x'], 64, /found --nats/],
    [['fleet', 'cordon'], 64, /expected a host after cordon; found none/],
    [['fleet', 'hosts', 'h1'], 64, /expected no word after hosts/],
    [['fleet', 'join', 'nothing'], 64, /expected an invitation/],
    [['fleet', 'cordon', 'h9'], 125, /h9\. See: outlive fleet hosts/],
  ];
  for (const [words, status, said] of refused) {
    const answer = await fleet.run(...words);
    assert.deepEqual([words.join(' '), answer.status, answer.stdout], [words.join(' '), status, '']);
    assert.match(answer.stderr, said);
  }
  assert.equal((await fleet.run('ps', '--fleet', '-a', '--all-sessions')).stdout, '');
});

test(
  'a host that is cordoned, drained or removed gets no new tasks, and a removed one is cut off',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    const machine = await fleet.host('h1');
    for (const action of ['cordon', 'drain']) {
      assert.equal((await fleet.run('fleet', action, 'h1')).status, 0);
      assert.equal((await fleet.run('run', '--on', 'any', 'true')).status, 125, action);
      assert.equal((await fleet.run('fleet', action, '--undo', 'h1')).status, 0);
    }
    const task = await fleet.on('any', 'sleep 1000');
    assert.equal((await fleet.run('fleet', 'remove', 'h1')).status, 0);
    assert.equal((await fleet.run('run', '--on', 'h1', 'true')).status, 125);
    assert.match((await fleet.run('fleet', 'hosts')).stdout, /^h1\tremoved\t/);
    // What runs there goes on, and is the host's own.
    assert.match((await machine.run('ps')).stdout, /running\t[^\n]*sleep 1000/);
    assert.match(task, /^h1\//);
  },
);

test(
  'a viewer may look but not act; without a fleet or its packages the answer says what to do',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    const machine = await fleet.host('h1');
    const onHost = await machine.run('fleet', 'hosts');
    assert.equal(onHost.status, 125);
    assert.match(onHost.stderr, /only those of the host h1[\s\S]*outlive fleet invite --role agent/);
    const task = await fleet.on('any', 'echo seen; sleep 1000');
    const brief = await fleet.on('any', 'exit 4');
    const { stdout } = await fleet.run('fleet', 'invite', '--role', 'viewer');
    const config = join(fleet.base, 'viewer');
    const asViewer = (...words: string[]) => fleet.call(words, { env: { XDG_CONFIG_HOME: config } });
    const before = await asViewer('ps', '--fleet');
    assert.equal(before.status, 125);
    assert.match(before.stderr, /no credentials of one[\s\S]*outlive fleet join/);
    assert.equal((await asViewer('fleet', 'join', stdout.trim())).stdout, 'joined the fleet as viewer\n');
    assert.match((await asViewer('ps', '--fleet')).stdout, /running/);
    await waitFor(async () => (await asViewer('logs', task)).stdout === 'seen\n', 'the output');
    for (const words of [
      ['kill', task],
      ['run', '--on', 'any', 'true'],
      ['fleet', 'cordon', 'h1'],
      ['send', task, 'x'],
      ['resize', task, '80x24'],
    ]) {
      const answer = await asViewer(...words);
      assert.deepEqual([words[0], answer.status], [words[0], 125]);
      assert.match(answer.stderr, /role viewer/);
    }
    // Its wait takes the end from nobody.
    const waited = await asViewer('wait', brief);
    assert.deepEqual([waited.status, waited.stderr], [4, '']);
    assert.match((await fleet.run('completions', '--fleet')).stdout, /exit 4/);
    // An invitation is good once.
    const again = await fleet.call(['fleet', 'join', stdout.trim()], {
      env: { XDG_CONFIG_HOME: join(fleet.base, 'x') },
    });
    assert.equal(again.status, 125);
  },
);
