import type { JetStreamManager } from '@nats-io/jetstream';
import { streamSettings } from '../bus/streams.ts';
import { streams } from '../wire/names.ts';

/**
 * Makes the streams that are not there.
 * @returns the era: when the stream of assignments was made. Another one means that its data was lost meanwhile.
 */
export async function makeStreams(manager: JetStreamManager, replicas: 1 | 3): Promise<string> {
  for (const settings of streamSettings)
    await manager.streams.add({ ...settings, subjects: [...settings.subjects], num_replicas: replicas });
  return (await manager.streams.info(streams.assignments)).created;
}
