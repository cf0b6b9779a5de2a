// A coordinator or a host agent in a process of its own: what `outlive fleet server` and `outlive fleet join` run, with shorter times.
import { FleetFolder } from '../../../src/fleet/admin/folder.ts';
import { HostService } from '../../../src/fleet/service/host.ts';
import { FleetServer } from '../../../src/fleet/service/serve.ts';
import { openStore } from '../../../src/index.ts';
import type { ServiceOptions } from './process-fleet.ts';

const {
  kind,
  folder: path,
  storeDir,
  leaseMs,
  heartbeatMs,
  slots,
} = JSON.parse(process.argv[2] ?? '{}') as ServiceOptions;
const folder = FleetFolder.open(path);
if (kind === 'coordinator') await FleetServer.start({ folder, isElsewhere: true, version: '0.1.0', leaseMs });
else {
  const store = await openStore({ dir: storeDir, cgroup: null });
  await HostService.start({ folder, store, version: '0.1.0', slots, heartbeatMs });
}
console.log('ready');
