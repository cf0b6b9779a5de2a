import type { StreamConfig } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { buckets, streams } from '../wire/names.ts';
import { loadNats } from './packages.ts';

const daysInNanoseconds = 86_400e9;

/** The largest message of a stream: a command and its answer are below. */
const messageBytes = 128 * 1024;

/** What holds for every stream. */
const common = {
  retention: 'limits',
  storage: 'file',
  discard: 'old',
  max_msg_size: messageBytes,
  // A message of a host may have any headers. None of these does anything: with the first of them one message erases all
  // others, and with the next it may vanish, come later, be part of a batch that is never whole, or count.
  allow_rollup_hdrs: false,
  allow_msg_ttl: false,
  allow_msg_schedules: false,
  allow_atomic: false,
  allow_batched: false,
  allow_msg_counter: false,
} as const satisfies Partial<Record<keyof StreamConfig, unknown>>;

/** The streams of a fleet, as the server is to have them. */
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

/** A direct get is answered by any server, also by one that has not heard of the last write. The client of NATS keeps and changes options. */
const bucketOptions = () => ({ allow_direct: false });

/** How long an answer may take, in milliseconds: the leader waits for three disks at most. */
const answerMs = 2_000;

/** JetStream's number for a stream that is there with other settings. */
const nameInUse = 10_058;

/**
 * Makes the streams and buckets of a fleet, or brings their settings to what this version needs. Any number of coordinators
 * may do so at a time.
 * @param replicas on how many servers each message is: 1 or 3.
 * @returns the era: when the stream of assignments was made. Another one means that its data was lost meanwhile.
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
