import { openStore } from '../src/api/open-store.ts';
import { FleetFolder } from '../src/fleet/admin/folder.ts';
import { HostService } from '../src/fleet/service/host.ts';
import { FleetServer } from '../src/fleet/service/serve.ts';
import { answer, type Questions } from './helper.ts';
import { pause } from './measure.ts';

const cpu: Questions = {
  async cpu() {
    const { user, system } = process.cpuUsage();
    return { ms: (user + system) / 1000 };
  },
};

/** Runs in a helper process: one server of a fleet, and a coordinator. */
export async function serveFleet([folder, nats, number]: readonly string[]): Promise<void> {
  await FleetServer.start({
    folder: FleetFolder.open(String(folder)),
    nats: String(nats),
    number: Number(number) as 1 | 2 | 3,
    version: '0.1.0',
  });
  answer({ ...cpu, begun: async () => ({}) });
}

/** Runs in a helper process: a machine that has joined, with a store of its own. */
export async function hostOfFleet([folder, dir]: readonly string[]): Promise<void> {
  const store = await openStore({ dir: String(dir) });
  const service = await HostService.start({
    folder: FleetFolder.open(String(folder)),
    store,
    version: '0.0.0',
  });
  answer({
    ...cpu,
    async begun() {
      while (!service.hasLease) await pause(10);
      return {};
    },
  });
}
