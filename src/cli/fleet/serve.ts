import { openStore } from '../../api/open-store.ts';
import { OutliveError } from '../../errors/error.ts';
import type { FleetFolder } from '../../fleet/admin/folder.ts';
import { HostService } from '../../fleet/service/host.ts';
import { FleetServer } from '../../fleet/service/serve.ts';
import { after } from '../../util/wait.ts';
import { exitStatus } from '../exit-status.ts';
import { untilInterrupted } from '../interrupt.ts';
import type { Io } from '../io.ts';
import { packageVersion } from '../version.ts';

/** Servers that take longer than this to answer are worth a word, in milliseconds. */
const waitingNoteMs = 4_000;

/** Runs the server and a coordinator until it is interrupted. */
export async function runServer(
  io: Io,
  folder: FleetFolder,
  options: { readonly nats?: string; readonly number?: '1' | '2' | '3'; readonly elsewhere?: boolean },
): Promise<number> {
  const { nats, number = '1', elsewhere } = options;
  const waiting = after(waitingNoteMs, () =>
    io.note('waits until the servers of the fleet answer; of three, two have to run'),
  );
  await using server = await FleetServer.start({
    folder,
    ...(nats !== undefined && { nats }),
    number: Number(number) as 1 | 2 | 3,
    isElsewhere: elsewhere === true,
    version: packageVersion(),
  }).finally(() => waiting.cancel());
  io.note(`serves the fleet at ${server.addresses.join(', ')}; Ctrl-C stops it, and tasks keep running`);
  const how = await untilInterrupted(
    async (interrupted) => await Promise.race([aborted(interrupted), server.serverEnded()]),
  );
  if (how === null) return exitStatus.ok;
  throw new OutliveError(
    'FLEET_UNREACHABLE',
    `expected nats-server to keep running; found that it has ended (${how}). Start it again: it keeps what it has stored.`,
  );
}

/** Runs the agent of this host until it is interrupted. Tasks go on. */
export async function runAgent(
  io: Io,
  folder: FleetFolder,
  { fence, store: dir }: { readonly fence?: 'keep' | 'stop'; readonly store?: string },
): Promise<number> {
  const store = await openStore(dir === undefined ? {} : { dir });
  try {
    await using service = await HostService.start({
      folder,
      store,
      version: packageVersion(),
      ...(fence !== undefined && { fence }),
    });
    io.note(`is the host ${service.host} of the fleet; Ctrl-C stops the agent, and its tasks keep running`);
    const ended = await untilInterrupted(
      async (interrupted) => await Promise.race([aborted(interrupted), service.ended]),
    );
    if (ended !== null) throw ended;
  } finally {
    await store.close();
  }
  return exitStatus.ok;
}

async function aborted(signal: AbortSignal): Promise<null> {
  if (signal.aborted) return null;
  return await new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(null), { once: true }),
  );
}
