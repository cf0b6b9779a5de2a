import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import {
  type HostCredentials,
  readCredentials,
  writeCredentials,
} from '../../../src/fleet/admin/credentials.ts';
import { type Bus, connectBus } from '../../../src/fleet/bus/connect.ts';
import { Authority } from '../../../src/fleet/bus/jwt.ts';
import { objects, oneObject, type Running } from '../../support/command-line.ts';
import { type HostMachine, MadeFleet, type QuickTimes } from '../../support/fleet/machines.ts';
import { withoutNats } from '../../support/nats.ts';
import { root } from '../../support/repository.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats };
const times: QuickTimes = { leaseMs: 4_000, heartbeatMs: 200 };
/** Where an agent is to be back before its host counts as lost. */
const slower: QuickTimes = { ...times, leaseMs: 12_000 };
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A command that notes each of its starts, and then does something else. */
function noting(machine: HostMachine, name: string, then: string) {
  const file = join(machine.base, name);
  return {
    command: `echo started >> '${file}'; ${then}`,
    starts: () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).length : 0),
  };
}

function credentialsOf(machine: HostMachine): HostCredentials {
  return readCredentials.host(machine.folder) ?? assert.fail('no host');
}

/** A connection with the rights of the coordinator. */
async function coordinatorBus(fleet: MadeFleet): Promise<Bus> {
  const has = readCredentials.coordinator(fleet.folder) ?? assert.fail('no coordinator');
  const { publicKey } = (await Authority.load()).keyOf(has.seed);
  const { servers, ca } = has.fleet;
  return await connectBus({ servers, ca, name: publicKey, seed: has.seed, token: () => has.token });
}

/** A token of a host as it would be after some time. */
async function aged(fleet: MadeFleet, host: HostCredentials, leftMs: number): Promise<string> {
  const has = readCredentials.coordinator(fleet.folder) ?? assert.fail('no coordinator');
  const authority = await Authority.load();
  const { publicKey } = authority.keyOf(host.seed);
  const claims = { name: host.name, publicKey, account: has.account, expiresAt: Date.now() + leftMs };
  return await authority.signUser(claims, has.hostScope);
}

/** What is in the audit of a host. */
async function auditOf(fleet: MadeFleet, host: string): Promise<string[]> {
  await using bus = await coordinatorBus(fleet);
  const { streams } = await jetstreamManager(bus.connection);
  const { state } = await streams.info('AUDIT');
  const said: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const message = await streams.getMessage('AUDIT', { seq });
    if (message?.subject === `audit.${host}`) said.push(message.string());
  }
  return said;
}

test(
  'a host that returns after a year is let in with its own key, and its store says how its tasks ended',
  options,
  async () => {
    await using fleet = await MadeFleet.make({ times });
    const machine = await fleet.host('h1');
    const ends = noting(machine, 'ends', 'echo done; exit 4');
    const acknowledged = noting(machine, 'acknowledged', 'exit 5');
    const [dies, runs] = ['dies', 'runs'].map((name) =>
      noting(machine, name, `until [ -e '${machine.base}/${name}.go' ]; do sleep 0.1; done; exit 6`),
    );
    assert.ok(dies && runs);
    const ended = await fleet.on('h1', ends.command, '-n', 'ends');
    const delivered = await fleet.on('h1', acknowledged.command, '--session', 'other');
    const lost = await fleet.on('h1', dies.command);
    const running = await fleet.on('h1', runs.command);
    for (const task of [ended, delivered]) await fleet.untilState(task, 'ended');
    await waitFor(() => dies.starts() + runs.starts() === 2, 'both to start');
    await machine.killAgent();
    // Its host does not hear that the session has this end.
    await fleet.run('completions', '--fleet', '--session', 'other', '--ack');
    await fleet.untilState(delivered, 'delivered');
    writeFileSync(join(machine.base, 'dies.go'), '');
    for (const task of [lost, running]) await fleet.untilState(task, 'unknown');
    assert.equal((await fleet.run('wait', lost)).status, 118);

    // A year passes. The clock of nats-server cannot be set: so it gets the token that it would refuse, and has lost what is too old.
    await fleet.stopServing();
    for (const one of [fleet, machine]) one.clockMs = 365 * dayMs;
    await fleet.serve();
    const before = credentialsOf(machine);
    writeCredentials.host(machine.folder, { ...before, token: await aged(fleet, before, -dayMs) });
    {
      await using bus = await coordinatorBus(fleet);
      await (await jetstreamManager(bus.connection)).streams.purge('DONE');
    }
    const swept = delivered.split('/')[1] ?? '';
    await waitFor(
      async () => !(await fleet.run('ps', '--fleet', '-a', '--all-sessions')).stdout.includes(swept),
      'what was acknowledged long ago to be removed',
    );

    // It is told what to do, and is let in as the host that it was.
    const refused = await machine.run('fleet', 'join');
    assert.equal(refused.status, 125);
    assert.match(refused.stderr, /FLEET_REFUSED|expired at \d{4}-\d\d-\d\d/);
    assert.match(refused.stderr, /outlive fleet invite[\s\S]*keeps its name, its key and its tasks/);
    const again = await machine.enrol(await fleet.invite('-l', 'old'));
    assert.deepEqual(again, { status: 0, stdout: 'joined the fleet as the host h1\n', stderr: '' });
    assert.equal(credentialsOf(machine).seed, before.seed);
    await machine.restart();
    await fleet.untilHost('h1', ({ state, labels }) => state === 'live' && labels?.old === '', 'live again');

    const waited = await fleet.run('wait', lost);
    assert.equal(waited.status, 6, waited.stderr);
    await fleet.untilState(running, 'accepted');
    writeFileSync(join(machine.base, 'runs.go'), '');
    assert.equal((await fleet.run('wait', running)).status, 6);
    // Nobody is told a second time of what was acknowledged, and the host forgets it.
    const kept = () => readdirSync(join(machine.folder.path, 'agent', 'attempts')).join();
    await waitFor(() => !kept().includes(swept), 'the host to forget what was acknowledged');
    assert.equal((await fleet.run('completions', '--fleet', '--session', 'other')).stdout, '');
    const told = await fleet.run('completions', '--fleet', '--ack');
    assert.match(told.stdout, new RegExp(`${ended} failed, exit 4: ends[\\s\\S]*\\| done`));
    for (const task of [lost, running]) assert.doesNotMatch(told.stdout, new RegExp(task));
    await waitFor(() => kept() === '', 'the host to hear that all is acknowledged');
    const starts = [ends, acknowledged, dies, runs].map((one) => one.starts());
    assert.deepEqual(starts, [1, 1, 1, 1]);
  },
);

test(
  'a machine whose disk was wiped is another host until the old one is removed and forgotten',
  options,
  async () => {
    await using fleet = await MadeFleet.make({ times });
    const old = await fleet.host('h1');
    const { command, starts } = noting(old, 'starts', 'sleep 1000');
    const task = await fleet.on('h1', command);
    await waitFor(() => starts() === 1, 'it to start');
    await old.killAgent();
    await fleet.untilState(task, 'unknown');

    const wiped = fleet.machine();
    const line = await fleet.invite();
    const asked = ['--name', 'h1', line];
    const taken = await wiped.enrol(...asked);
    assert.equal(taken.status, 125);
    assert.match(
      taken.stderr,
      /another machine has the name h1[\s\S]*outlive fleet remove h1[\s\S]*outlive fleet forget h1/,
    );
    // To give up its tasks is not to give its name to another key.
    assert.equal((await fleet.run('fleet', 'remove', 'h1')).status, 0);
    assert.equal((await wiped.enrol(...asked)).status, 125);
    await fleet.untilState(task, 'unknown');
    assert.equal((await fleet.run('wait', task)).status, 118);

    await waitFor(async () => (await fleet.run('fleet', 'forget', 'h1')).status === 0, 'h1 to be lost');
    const told = await fleet.run('completions', '--fleet');
    assert.match(told.stdout, new RegExp(`${task} revoked, its host was given up`));
    await wiped.join('h1', line);
    await fleet.untilHost('h1', ({ state }) => state === 'live', 'live');
    const next = await fleet.on('h1', 'exit 3');
    assert.equal((await fleet.run('wait', next)).status, 3);
    // The key that was removed opens nothing any more.
    const back = await old.run('fleet', 'join');
    assert.equal(back.status, 125);
    assert.match(back.stderr, /the servers refuse its key[\s\S]*outlive fleet forget h1/);
    assert.equal(starts(), 1);
  },
);

test('a host whose clock is an hour off gets its leases, its orders and a new token', options, async () => {
  await using fleet = await MadeFleet.make({ times });
  for (const [name, clockMs] of [
    ['early', -hourMs],
    ['late', hourMs],
  ] as const) {
    const machine = fleet.machine();
    machine.clockMs = clockMs;
    const line = await fleet.invite();
    // To join it signs what it asks for: that is refused, and the invitation stays good.
    const refused = await machine.enrol('--name', name, line);
    assert.equal(refused.status, 125);
    assert.match(refused.stderr, /made 3\d\d\d s (?:ago|in the future): compare the clocks/);
    machine.clockMs = 0;
    assert.equal((await machine.enrol('--name', name, line)).status, 0);
    const has = credentialsOf(machine);
    writeCredentials.host(machine.folder, { ...has, token: await aged(fleet, has, 2 * hourMs) });
    machine.clockMs = clockMs;
    // By its own clock its token is half over in each case but one.
    const old = credentialsOf(machine).token;
    await machine.restart();
    await fleet.untilHost(name, ({ state }) => state === 'live', 'live');
    if (clockMs > 0) await waitFor(() => credentialsOf(machine).token !== old, 'the token to be renewed');

    const ended = await fleet.on(name, 'echo here; exit 3', '--start-by', '1m');
    assert.equal((await fleet.run('wait', ended)).status, 3);
    assert.equal((await fleet.run('logs', ended)).stdout, 'here\n');
    const running = await fleet.on(name, 'sleep 1000', '--start-by', '1m');
    const killed = await fleet.run('kill', running);
    assert.match(killed.stdout, new RegExp(`^${running} killed`));
  }
});

test(
  'a host with an older protocol gets no tasks, the admin is told what to upgrade, and its tasks run on',
  options,
  async () => {
    await using fleet = await MadeFleet.make({ times: slower });
    const machine = await fleet.host('h1', '-l', 'old');
    const { command, starts } = noting(machine, 'starts', 'sleep 1000');
    const task = await fleet.on('label:old', command);
    await waitFor(() => starts() === 1, 'it to start');
    await machine.killAgent();
    await machine.restart(olderSources(fleet));
    await fleet.untilHost('h1', ({ refused }) => refused !== null, 'refused');
    // Where this machine was slow, the host counted as lost before its agent was back.
    const stateNow = async () => oneObject((await fleet.run('show', '--json', task)).stdout).state;
    const before = await stateNow();
    const listed = await fleet.run('fleet', 'hosts');
    assert.match(
      listed.stdout,
      /^h1\trefused: expected a heartbeat of version 1; found version 0, of outlive 0\.0\.1 on h1; the coordinator has outlive 0\.0\.2\. Upgrade outlive on h1, and/m,
    );
    // Another host could take it, and the old one is silent as far as leases go.
    await fleet.host('h2', '-l', 'old');
    const busy = await fleet.run('run', '--on', 'h1', 'true');
    assert.equal(busy.status, 125);
    assert.match(busy.stderr, /h1 is of another version/);
    await fleet.untilHost('h1', ({ silentMs }) => silentMs > 2 * slower.leaseMs, 'without a lease for long');
    assert.equal(await stateNow(), before);
    assert.ok((await auditOf(fleet, 'h1')).some((said) => said.includes('found version 0')));

    await machine.killAgent();
    assert.match(machine.takeWarnings(), /found version 1, but this outlive has version 0/);
    await machine.restart();
    await fleet.untilHost('h1', ({ state, refused }) => state === 'live' && refused === null, 'live again');
    await fleet.untilState(task, 'accepted');
    assert.match((await fleet.run('kill', task)).stdout, new RegExp(`^${task} killed`));
    assert.equal(starts(), 1);
  },
);

/** The sources as an earlier outlive had them, with another number of the protocol. @returns their URL. */
function olderSources(fleet: MadeFleet): string {
  const older = join(fleet.base, 'older');
  mkdirSync(join(older, 'build'), { recursive: true });
  cpSync(join(root, 'build', 'src'), join(older, 'build', 'src'), { recursive: true });
  for (const name of ['node_modules', 'package.json', 'native', 'build/native'])
    if (existsSync(join(root, name))) symlinkSync(join(root, name), join(older, name));
  const names = join(older, 'build', 'src', 'fleet', 'wire', 'names.js');
  const text = readFileSync(names, 'utf8');
  assert.match(text, /wireVersion = 1;/);
  writeFileSync(names, text.replace('wireVersion = 1;', 'wireVersion = 0;'));
  return pathToFileURL(join(older, 'build', 'src', '/')).href;
}

test(
  'two machines with one credential get no tasks, the admin is told, and the real one comes back',
  options,
  async () => {
    await using fleet = await MadeFleet.make({ times });
    const host = await fleet.host('h1');
    const { command, starts } = noting(host, 'starts', 'sleep 1000');
    const task = await fleet.on('h1', command);
    await waitFor(() => starts() === 1, 'it to start');

    const copy = fleet.machine();
    for (const part of ['.config', '.local']) copyPart(host, copy, part);
    copyFolder(host.dir, copy.dir);
    // It names a process of the other machine, which is none of this one.
    rmSync(join(copy.folder.path, 'agent', 'agent.lock'));
    const copied = await copy.restart();
    await fleet.untilHost('h1', ({ refused }) => refused !== null, 'refused');
    const listed = await fleet.run('fleet', 'hosts');
    assert.match(
      listed.stdout,
      /^h1\trefused: expected one agent of h1; found two that have its credential/m,
    );
    const busy = await fleet.run('run', '--on', 'any', 'true');
    assert.equal(busy.status, 125);
    assert.match(busy.stderr, /h1 is used by two agents/);
    await fleet.untilHost('h1', ({ silentMs }) => silentMs !== null, 'heard');
    assert.ok(
      (await auditOf(fleet, 'h1')).some((said) => said.includes('found two that have its credential')),
    );
    // What runs goes on, and is told as what it is: the copy has it in its store, and says nothing.
    for (const one of [host, copy])
      await waitFor(() => one.takeWarnings().includes('two that have its credential'), 'each to be told');
    assert.match((await fleet.run('ps', '--fleet')).stdout, new RegExp(`^${task}\t.*\trunning\t`, 'm'));

    // Removed, both are cut off, and the end of each agent says what to do.
    assert.equal((await fleet.run('fleet', 'remove', 'h1')).status, 0);
    await ends(copied);
    copy.takeWarnings();
    await waitFor(async () => (await fleet.run('fleet', 'forget', 'h1')).status === 0, 'h1 to be lost');
    const before = credentialsOf(host);
    const line = await fleet.invite();
    await host.killAgent();
    host.takeWarnings();
    await host.join('h1', line);
    assert.notEqual(credentialsOf(host).seed, before.seed);
    await fleet.untilHost('h1', ({ state, refused }) => state === 'live' && refused === null, 'live');
    const next = await fleet.on('h1', 'exit 3');
    assert.equal((await fleet.run('wait', next)).status, 3);
    // The thief has the old key alone, and the old task was given up: its host stops it.
    assert.equal((await copy.run('fleet', 'join')).status, 125);
    await waitFor(
      async () =>
        objects((await host.run('ps', '-a', '--all-sessions', '--json')).stdout).some(
          (one) => one.status === 'killed',
        ),
      'the host to stop what was given up',
    );
    assert.equal(starts(), 1);
  },
);

function copyPart(from: HostMachine, to: HostMachine, name: string): void {
  if (existsSync(join(from.base, name))) copyFolder(join(from.base, name), join(to.base, name));
}

/** With all modes, which `cpSync` of Node 22 does not keep. */
function copyFolder(from: string, to: string): void {
  execFileSync('cp', ['-a', '-T', from, to]);
}

async function ends(agent: Running): Promise<void> {
  const { status, stderr } = await agent.answer;
  assert.equal(status, 1);
  assert.match(stderr, /the servers refuse its key[\s\S]*outlive fleet forget h1/);
}
