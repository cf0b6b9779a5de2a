import type { StreamConfig } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { buckets, streams } from '../wire/names.ts';
import { loadNats } from './packages.ts';

const daysInNanoseconds = 86_400e9;

/** The largest message of a stream. A command and its end are smaller. */
const messageBytes = 128 * 1024;

/** The settings that all streams have in common. */
const common = {
  retention: 'limits',
  storage: 'file',
  discard: 'old',
  max_msg_size: messageBytes,
  // A host may put any headers on its messages, so these features are off. With the first, one message erases all
  // others. With the next, a message may vanish, come later, belong to a batch that never completes, or be a counter.
  allow_rollup_hdrs: false,
  allow_msg_ttl: false,
  allow_msg_schedules: false,
  allow_atomic: false,
  allow_batched: false,
  allow_msg_counter: false,
} as const satisfies Partial<Record<keyof StreamConfig, unknown>>;

/** The settings of each stream of a fleet. */
const streamSettings = [
  {
    ...common,
    name: streams.assignments,
    subjects: ['assign.*.*'],
    max_msgs_per_subject: 5,
    allow_direct: true,
    duplicate_window: 600e9,
  },
  {
    ...common,
    name: streams.ends,
    subjects: ['done.*.*.*'],
    max_age: 30 * daysInNanoseconds,
    duplicate_window: 600e9,
  },
  {
    ...common,
    name: streams.audit,
    subjects: ['audit.*'],
    max_age: 90 * daysInNanoseconds,
    deny_delete: true,
    deny_purge: true,
  },
] as const;

/** The largest value of a bucket. */
const valueBytes = 64 * 1024;

/** No direct gets: a server without the last write may answer them. The NATS client keeps and changes the object. */
const bucketOptions = () => ({ allow_direct: false });

/** How long an answer may take, in milliseconds. The leader waits for at most three disks. */
const answerMs = 2_000;

/** JetStream's error code for a stream that exists with other settings. */
const nameInUse = 10_058;

/**
 * Creates the streams and buckets of a fleet, or gives them the settings of this version. Several coordinators may do
 * so at the same time.
 * @param replicas how many servers store each message: 1 or 3.
 * @returns the era: when the servers created the stream of assignments. A new value means that the old data is lost.
 */
export async function ensureStreams(connection: NatsConnection, replicas: 1 | 3): Promise<string> {
  const { jetstream, kv } = await loadNats();
  const manager = await jetstream.jetstreamManager(connection, { timeout: answerMs, checkAPI: false });
  for (const settings of streamSettings) {
    const config = { ...settings, subjects: [...settings.subjects], num_replicas: replicas };
    try {
      await manager.streams.add(config);
    } catch (error) {
      if (!(error instanceof jetstream.JetStreamApiError && error.code === nameInUse)) throw error;
      const { name, ...changeable } = config;
      await manager.streams.update(name, changeable);
    }
  }
  const kvm = new kv.Kvm(connection);
  for (const bucket of Object.values(buckets))
    await kvm.create(bucket, { replicas, history: 1, maxValueSize: valueBytes, ...bucketOptions() });
  return (await manager.streams.info(streams.assignments)).created;
}

/** Opens a bucket that {@link ensureStreams} has made. */
export async function openBucket(
  connection: NatsConnection,
  bucket: (typeof buckets)[keyof typeof buckets],
): Promise<KV> {
  const { kv } = await loadNats();
  return await new kv.Kvm(connection).open(bucket, bucketOptions());
}
