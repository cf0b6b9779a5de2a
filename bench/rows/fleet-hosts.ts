import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { BusyHost } from '../../test/support/fleet/busy-host.ts';
import type { FakeClient } from '../../test/support/fleet/client.ts';
import { TestFleet } from '../../test/support/fleet/fleet.ts';
import { natsServer } from '../../test/support/nats.ts';
import { median, p95, pause, timed } from '../measure.ts';
import { cpuMs } from '../processes.ts';
import { judge, noLimit, type Row, under } from '../row.ts';

const hosts = 1000;
const heartbeatMs = 5000;
/** Six rounds of heartbeats. */
const windowMs = 30_000;
const dispatches = 300;

/** The coordinator of a fleet: what 1,000 hosts cost it, and how long a task takes to its host. */
export async function fleetOfHosts(): Promise<Row[]> {
  if (natsServer() === null) return [];
  await using fleet = await TestFleet.start();
  const client = await fleet.client();
  const coordinator = await fleet.coordinatorProcess(30_000);
  const all: BusyHost[] = [];
  for (let n = 0; n < hosts; n += 1) {
    // Spread over the time between two heartbeats, as hosts are that were started by people.
    await pause(heartbeatMs / hosts);
    all.push(await fleet.busyHost(`h${n}`, { everyMs: heartbeatMs }));
  }
  await pause(2 * heartbeatMs);
  const quiet = await percentOf(coordinator.pid, () => pause(windowMs));
  const { answered, accepted, bare, cpu } = await dispatching(fleet, client, all, coordinator.pid);
  const none = { beside: '', besideMeasured: null } as const;
  const beside = { beside: 'one conditional write into a stream', besideMeasured: median(bare) };
  const onHosts = `a fleet of ${hosts} hosts on one server`;
  return [
    judge(
      {
        what: `${onHosts}: CPU of the coordinator while nothing happens`,
        unit: '% of a core',
        measured: quiet,
        ...none,
      },
      under(10, 'under 10 % of one core'),
    ),
    judge(
      { what: `${onHosts}: request to its answer, assigned`, unit: 'ms', ...spread(answered), ...beside },
      under(5, 'under 5 ms'),
    ),
    judge(
      { what: `${onHosts}: request to accepted by the host`, unit: 'ms', ...spread(accepted), ...beside },
      noLimit,
    ),
    judge(
      { what: `${onHosts}: CPU of the coordinator for a task`, unit: 'ms', measured: cpu, ...none },
      noLimit,
    ),
  ];
}

/** One task after the other, each beside a bare write. */
async function dispatching(fleet: TestFleet, client: FakeClient, all: readonly BusyHost[], pid: number) {
  const connection = await fleet.connection();
  await (await jetstreamManager(connection)).streams.add({ name: 'BARE', subjects: ['bare.*'] });
  const stream = jetstream(connection);
  const byName = new Map(all.map((one) => [one.host.host, one]));
  const samples = { answered: [] as number[], accepted: [] as number[], bare: [] as number[] };
  const cpu = cpuMs([pid]);
  for (let n = 0; n < dispatches; n += 1) {
    const options = { expect: { lastSubjectSequence: 0 } };
    samples.bare.push(await timed(() => stream.publish(`bare.${n}`, '{}', options)));
    const begin = performance.now();
    const { task, host } = await client.run();
    samples.answered.push(performance.now() - begin);
    await byName.get(host)?.started(`${task}.1`);
    samples.accepted.push(performance.now() - begin);
  }
  return { ...samples, cpu: (cpuMs([pid]) - cpu) / dispatches };
}

async function percentOf(pid: number, work: () => Promise<unknown>): Promise<number> {
  const [cpu, begin] = [cpuMs([pid]), performance.now()];
  await work();
  return ((cpuMs([pid]) - cpu) * 100) / (performance.now() - begin);
}

function spread(samples: readonly number[]): { readonly measured: number; readonly p95: number } {
  return { measured: median(samples), p95: p95(samples) };
}
