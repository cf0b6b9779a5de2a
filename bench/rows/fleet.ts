import { execFile, execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { OutliveError } from '../../src/errors/error.ts';
import type { FleetTask } from '../../src/fleet/client/fleet-task.ts';
import type { Session, Task } from '../../src/index.ts';
import { natsServer } from '../../test/support/nats.ts';
import { OtherMachine } from '../../test/support/other-machine.ts';
import { FleetGround } from '../fleet-ground.ts';
import { Gate } from '../gate.ts';
import type { Ground } from '../ground.ts';
import type { Helper } from '../helper.ts';
import { median, must, p95, pause, takeTurns, timed } from '../measure.ts';
import { atMostMore, judge, type Limit, noLimit, type Row, under } from '../row.ts';

const rounds = 60;

/** A command has run for so long when it ends, so that all around its start is over. */
const settleMs = 20;

/** The CPU of an agent is measured for that long: six heartbeats. */
const windowMs = 30_000;
/** Some seconds after the last start V8 collects, once, what a hundred starts have left: 0.1 to 0.2 s of CPU. */
const calmMs = 20_000;
const quietTasks = 100;

const backfillBytes = 100_000_000;

/** A part of these rows, on a fleet and a session of its own. */
type Part = (fleet: FleetGround, session: Session, ground: Ground, agent: Helper) => Promise<Row[]>;

/** What a task costs on a host of a fleet, beside the same on this machine: real servers, coordinators and host agents. */
export const fleetRows: Readonly<Record<string, (ground: Ground) => Promise<Row[]>>> = {
  'fleet-dispatch': on(1, (fleet, session) => dispatches(fleet, session, 'one server', 5)),
  'fleet-dispatch-three': on(3, (fleet, session) => dispatches(fleet, session, 'three servers', 20)),
  'fleet-ssh': on(1, async (fleet) => [await besideSsh(fleet)]),
  'fleet-ends': on(1, async (fleet, session, ground) => [await ends(ground, fleet, session)]),
  'fleet-lines': on(1, async (fleet, session, ground) => [await lines(ground, fleet, session)]),
  'fleet-backfill': on(1, async (fleet, session) => [await backfill(fleet, session)]),
  'fleet-absent': on(1, async (fleet) => [await absent(fleet)]),
  'fleet-quiet': on(1, async (fleet, _session, _ground, agent) => [await quiet(fleet, agent)]),
};

function on(servers: 1 | 3, part: Part): (ground: Ground) => Promise<Row[]> {
  return async (ground) => {
    if (natsServer() === null) return [];
    const fleet = await FleetGround.start(ground, servers);
    const agent = await fleet.host('h1');
    const rows = await part(fleet, await ground.session('fleet'), ground, agent);
    await fleet.close();
    return rows;
  };
}

async function dispatches(fleet: FleetGround, session: Session, where: string, most: number): Promise<Row[]> {
  const samples = await takeTurns(
    rounds,
    { fleet: () => dispatch(fleet), local: () => timed(async () => await session.spawn('true')) },
    20,
  );
  return [
    row(
      `a fleet on ${where}: \`spawn()\` to accepted by the host`,
      samples.fleet,
      under(most, `under ${most} ms`),
      {
        beside: '`session.spawn()` on this machine',
        samples: samples.local,
      },
    ),
  ];
}

/** From the call to the news that the host has it. */
async function dispatch({ fleet }: FleetGround): Promise<number> {
  const begin = performance.now();
  const task = await fleet.spawn('true', { on: 'h1', session: 'dispatch', acceptMs: 60_000 });
  const taken = performance.now() - begin;
  const { state } = task.known;
  if (state !== 'accepted' && state !== 'ended') throw new Error(`it is ${state}`);
  await task.wait();
  return taken;
}

/** A command by ssh on loopback, which is a host without a fleet. */
async function besideSsh(fleet: FleetGround): Promise<Row> {
  await using machine = await OtherMachine.start();
  const [program = '', ...words] = String(machine.reach().OUTLIVE_SSH).trim().split(' ');
  const to = ['-p', String(machine.port), `${machine.user}@127.0.0.1`];
  const run = promisify(execFile);
  const bySsh = (command: string) => timed(async () => await run(program, [...words, ...to, command]));
  const samples = await takeTurns(
    10,
    { fleet: () => dispatch(fleet), ssh: () => bySsh(`${machine.path} run -- true`) },
    2,
  );
  return row('a fleet on one server: `spawn()` to accepted by the host', samples.fleet, noLimit, {
    beside: '`outlive run` by ssh on loopback, whole',
    samples: samples.ssh,
  });
}

/** From the end of a command to the session that has asked for what ends. */
async function ends(ground: Ground, { fleet }: FleetGround, session: Session): Promise<Row> {
  const gate = new Gate(ground.newFile());
  const remote = async (): Promise<number> => {
    await fleet.spawn(gate.command, { on: 'h1', session: 'ends' });
    await gate.ready();
    const known = fleet.completions('ends', { forMs: 30_000 });
    await pause(settleMs);
    const begin = performance.now();
    gate.open();
    const found = await must('the end', known);
    const taken = performance.now() - begin;
    await fleet.acknowledge('ends', found);
    return taken;
  };
  const completions = session.completions();
  const local = async (): Promise<number> => {
    await session.spawn(gate.command);
    await gate.ready();
    const pushed = completions.next();
    await pause(settleMs);
    const begin = performance.now();
    gate.open();
    const { value } = await must('the end', pushed);
    const taken = performance.now() - begin;
    await value?.ack();
    return taken;
  };
  const samples = await takeTurns(rounds, { remote, local }, 10);
  await completions.return();
  gate.close();
  return row('end of a command on a host to the consumer', samples.remote, atMostMore(5, 'ms'), {
    beside: 'the same on this machine, `session.completions()`',
    samples: samples.local,
  });
}

/** From a line that a command writes to one who follows its output. */
async function lines(ground: Ground, { fleet }: FleetGround, session: Session): Promise<Row> {
  const remote = new Echo(ground, 'remote');
  const local = new Echo(ground, 'local');
  const there = await fleet.spawn(remote.command, { on: 'h1', session: 'lines' });
  const here = await session.spawn(local.command);
  await must('it to be accepted', there.wait({ until: 'accepted' }));
  const over = new AbortController();
  const options = { abortSignal: over.signal };
  const followed = { remote: there.follow(options), local: here.follow(options) };
  const samples = await takeTurns(
    rounds,
    {
      remote: () => remote.line(followed.remote),
      local: () => local.line(followed.local),
    },
    10,
  );
  await there.kill({ graceMs: 0 });
  await here.kill({ graceMs: 0 });
  over.abort();
  remote.close();
  local.close();
  return row('a line of a command on a host to one who follows', samples.remote, under(25, 'under 25 ms'), {
    beside: 'the same on this machine, `task.follow()`',
    samples: samples.local,
  });
}

/** A command that writes each line that we tell it. */
class Echo {
  readonly command: string;
  readonly #fifo: number;
  #count = 0;

  constructor(ground: Ground, name: string) {
    const path = `${ground.newFile()}.${name}`;
    execFileSync('mkfifo', ['-m', '600', path]);
    this.#fifo = openSync(path, constants.O_RDWR);
    this.command = `while read -r line; do echo "$line"; done <'${path}'`;
  }

  async line(output: AsyncGenerator<{ readonly bytes: Buffer }, unknown>): Promise<number> {
    this.#count += 1;
    const text = `line ${this.#count}\n`;
    const coming = this.#until(output, text);
    await pause(settleMs);
    const begin = performance.now();
    writeSync(this.#fifo, text);
    await must('a line', coming);
    return performance.now() - begin;
  }

  close(): void {
    closeSync(this.#fifo);
  }

  async #until(output: AsyncGenerator<{ readonly bytes: Buffer }, unknown>, text: string): Promise<void> {
    for (let all = ''; !all.endsWith(text); ) {
      const next = await output.next();
      if (next.done) throw new Error('expected more output; found its end');
      all += next.value.bytes.toString('utf8');
    }
  }
}

/** All output of a task that has ended, by ranges: what one reads who comes late. */
async function backfill({ fleet }: FleetGround, session: Session): Promise<Row> {
  const command = `head -c ${backfillBytes} /dev/zero | tr '\\0' x`;
  const there = await fleet.spawn(command, { on: 'h1', session: 'backfill' });
  await must('it to end', there.wait());
  const here = await session.spawn(command);
  await must('it to end', here.wait());
  const whole = (task: FleetTask | Task) => timed(async () => await readAll(task));
  const samples = await takeTurns(3, { remote: () => whole(there), local: () => whole(here) }, 1);
  const perSecond = (all: readonly number[]) => all.map((ms) => backfillBytes / 1e6 / (ms / 1000));
  return judge(
    {
      what: '100 MB of output of a task on a host, read by ranges',
      unit: 'MB/s',
      measured: median(perSecond(samples.remote)),
      beside: 'the same on this machine, `task.read()`',
      besideMeasured: median(perSecond(samples.local)),
    },
    noLimit,
  );
}

async function readAll(task: FleetTask | Task): Promise<void> {
  for (let offset = 0; offset < backfillBytes; ) {
    const { bytes, nextOffset } = await task.read({ offset, maxBytes: 256 * 1024 });
    if (bytes.length === 0) throw new Error(`expected ${backfillBytes} bytes; found ${offset}`);
    offset = nextOffset;
  }
}

/** An agent has ended without a word, and its lease has not run out: who asks for a task there is told at once. */
async function absent(ground: FleetGround): Promise<Row> {
  const helper = await ground.host('absent');
  const task = await ground.fleet.spawn('exec sleep 3600', { on: 'absent', session: 'absent' });
  await must('it to be accepted', task.wait({ until: 'accepted' }));
  await helper.kill();
  const ask = async (): Promise<void> => {
    try {
      await task.inspect();
    } catch (error) {
      if (error instanceof OutliveError && error.code === 'HOST_UNREACHABLE') return;
      throw error;
    }
    throw new Error('expected a host that does not answer; found an answer');
  };
  const samples = await takeTurns(
    rounds,
    { absent: () => timed(ask), present: () => timed(() => ground.fleet.hosts()) },
    10,
  );
  return row('a question for a host that is away, to the answer', samples.absent, under(10, 'under 10 ms'), {
    beside: 'a question that the coordinator answers itself',
    samples: samples.present,
  });
}

async function quiet({ fleet }: FleetGround, agent: Helper): Promise<Row> {
  const tasks: FleetTask[] = [];
  for (let count = 0; count < quietTasks; count += 1) {
    const task = await fleet.spawn('exec sleep 3600', { on: 'h1', session: 'quiet' });
    await must('it to be accepted', task.wait({ until: 'accepted' }));
    tasks.push(task);
  }
  await pause(calmMs);
  const cpu = async () => (await agent.ask('cpu')).ms ?? 0;
  const [before, begin] = [await cpu(), performance.now()];
  await pause(windowMs);
  const percent = (((await cpu()) - before) * 100) / (performance.now() - begin);
  // They outlive their host's agent.
  for (const task of tasks) await task.kill({ graceMs: 0 });
  return judge(
    {
      what: `a host with ${quietTasks} quiet tasks of the fleet: CPU of its agent`,
      unit: '% of a core',
      measured: percent,
      beside: '',
      besideMeasured: null,
    },
    under(0.5, 'under 0.5 % of one core'),
  );
}

function row(
  what: string,
  measured: readonly number[],
  limit: Limit,
  { beside, samples }: { readonly beside: string; readonly samples: readonly number[] },
): Row {
  const figures = { what, unit: 'ms', measured: median(measured), p95: p95(measured) };
  return judge({ ...figures, beside, besideMeasured: median(samples) }, limit);
}
