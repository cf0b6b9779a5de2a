import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { objects } from '../../support/command-line.ts';
import { type HostMachine, MadeFleet } from '../../support/fleet/machines.ts';
import { withoutNats } from '../../support/nats.ts';
import { Network, withoutNetworks } from '../../support/network.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats || withoutNetworks };

test('three machines in separate networks join over TLS, and a fourth one uses them', options, async () => {
  await using network = await Network.make(['server', 'h1', 'h2', 'h3', 'client']);
  const server = { address: `${network.address('server')}:4222`, before: network.enter('server') };
  await using fleet = await MadeFleet.make({ servers: [server] });
  const labels: Readonly<Record<string, readonly string[]>> = {
    h1: ['-l', 'gpu'],
    h2: ['-l', 'region=eu'],
    h3: [],
  };
  for (const [host, asked] of Object.entries(labels))
    await fleet.hostBehind(network.enter(host), host, ...asked);
  const client = await fleet.clientBehind(network.enter('client'));

  // Each host says its own address: the command ran there.
  const where = "echo $(hostname -I 2>/dev/null || ip -br addr show eth0 | grep -o '10[.0-9]*')";
  for (const [place, host] of [
    ['label:gpu', 'h1'],
    ['label:region=eu', 'h2'],
    ['h3', 'h3'],
  ] as const) {
    const task = await client.on(place, `${where}; exit 4`);
    assert.equal((await client.run('wait', task)).status, 4);
    assert.equal((await client.run('logs', task)).stdout, `${network.address(host)}\n`);
    assert.match(task, new RegExp(`^${host}/`));
  }

  // What it types and prints, as it comes.
  const asked = await client.on('label:gpu', 'echo ready; read x; echo got $x; sleep 1000', '--stdin');
  const following = client.start(['logs', '-f', asked]);
  await following.says('ready');
  assert.equal((await client.run('send', asked, 'this\n')).status, 0);
  await following.says('got this');
  const listed = objects((await client.run('ps', '--fleet', '--json')).stdout);
  assert.deepEqual(
    listed.map(({ host, state }) => [host, state]),
    [['h1', 'accepted']],
  );
  assert.match((await client.run('kill', asked)).stdout, new RegExp(`^${asked} killed`));
  assert.equal((await following.answer).status, 0);
  assert.equal((await client.run('wait', asked)).status, 123);
  // They have told all ends.
  assert.equal((await client.run('completions', '--fleet')).stdout, '');
});

test(
  'a host without network is lost and starts nothing, and reports how its tasks ended when it is back',
  options,
  async () => {
    await using network = await Network.make(['server', 'h1', 'h2', 'client']);
    const server = { address: `${network.address('server')}:4222`, before: network.enter('server') };
    await using fleet = await MadeFleet.make({ servers: [server] });
    const h1 = await fleet.hostBehind(network.enter('h1'), 'h1');
    await fleet.hostBehind(network.enter('h2'), 'h2');
    const client = await fleet.clientBehind(network.enter('client'));
    const starts = (machine: HostMachine): string[] => readLines(join(machine.base, 'starts'));
    const noted = (name: string, then: string): string => `echo ${name} >> starts; ${then}`;
    const brief = await client.on('h1', noted('brief', 'until [ -e now ]; do sleep 0.1; done; exit 5'));
    const long = await client.on('h1', noted('long', 'sleep 1000'));
    await waitFor(() => starts(h1).length === 2, 'both to start');

    network.cut('h1');
    // It is assigned, and nobody there hears of it.
    const early = await client.on('h1', noted('early', 'true'));
    // It ends where nobody sees it.
    const ended = await h1.call(['run', '--wait', '--', 'touch now; sleep 0.1']);
    assert.equal(ended.status, 0, ended.stderr);
    await fleet.untilLost('h1', 120_000);
    for (const task of [brief, long]) {
      const waited = await client.run('wait', task);
      assert.deepEqual([task, waited.status], [task, 118], waited.stderr);
    }
    // It was not accepted, and now it cannot be.
    const refused = await client.run('wait', early);
    assert.notEqual(refused.status, 0);
    assert.match(`${refused.stdout}${refused.stderr}`, /its host is lost/);
    assert.equal((await client.run('run', '--on', 'h1', 'true')).status, 125);
    assert.match(await client.on('any', 'true'), /^h2\//);
    assert.deepEqual(starts(h1).sort(), ['brief', 'long']);

    network.join('h1');
    await fleet.untilLive('h1', 120_000);
    // It is back; next it says what it has.
    await waitFor(async () => (await client.run('wait', brief)).status !== 118, 'the end to be known');
    const said = await client.run('wait', brief);
    assert.deepEqual([said.status, said.stderr], [5, '']);
    assert.match((await client.run('ps', '--fleet')).stdout, new RegExp(`^${long}\\t[^\\n]*running`, 'm'));
    assert.match((await client.run('kill', long)).stdout, /killed/);
    // What it starts now is behind all that it could have started from before.
    const after = await client.on('h1', noted('after', 'true'));
    assert.equal((await client.run('wait', after)).status, 0);
    assert.deepEqual(starts(h1).sort(), ['after', 'brief', 'long']);
  },
);

test(
  'one of three servers is cut off, and then the client while it dispatches: each task starts once',
  options,
  async () => {
    const names = ['s1', 's2', 's3'];
    await using network = await Network.make([...names, 'h1', 'client']);
    const servers = names.map((name) => ({
      address: `${network.address(name)}:4222`,
      before: network.enter(name),
    }));
    await using fleet = await MadeFleet.make({ servers });
    const machine = await fleet.hostBehind(network.enter('h1'), 'h1');
    const client = await fleet.clientBehind(network.enter('client'));
    const dispatch = async (key: string): Promise<string> => {
      const call = ['run', '--on', 'any', '--key', key, '--', `echo ${key} >> starts`];
      let task = '';
      // Each asks for up to 12 s; a leader's loss takes as long.
      await waitFor(
        async () => {
          const { status, stdout } = await client.run(...call);
          task = stdout.trim();
          return status === 0;
        },
        `${key} to be taken`,
        120_000,
      );
      return task;
    };
    const tasks = new Map<string, string>();
    for (const name of names) {
      network.cut(name);
      tasks.set(name, await dispatch(name));
      network.join(name);
    }
    // The client is cut off with its question on the way, and asks the same when it is back.
    const asking = client.start(['run', '--on', 'any', '--key', 'alone', '--', 'echo alone >> starts']);
    network.cut('client');
    const alone = await asking.answer;
    network.join('client');
    const task = await dispatch('alone');
    if (alone.status === 0) assert.equal(task, alone.stdout.trim());
    for (const [key, known] of tasks) assert.equal(await dispatch(key), known, key);
    for (const one of [...tasks.values(), task]) {
      await waitFor(async () => (await client.run('wait', one)).status === 0, `${one} to end`, 120_000);
    }
    assert.deepEqual(readLines(join(machine.base, 'starts')).sort(), ['alone', ...names]);
  },
);

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
