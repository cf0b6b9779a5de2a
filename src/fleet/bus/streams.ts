import type { StreamConfig } from '@nats-io/jetstream';
import { buckets, streams } from '../wire/names.ts';
import type { Bus } from './connect.ts';

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
export const streamSettings = [
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

/**
 * Makes the streams and buckets of a fleet, or brings their settings to what this version needs. Any number of coordinators
 * may do so at a time.
 * @param replicas on how many servers each message is: 1 or 3.
 */
export async function ensureStreams({ nats, connection }: Bus, replicas: 1 | 3): Promise<void> {
  const manager = await nats.jetstream.jetstreamManager(connection);
  for (const settings of streamSettings) {
    const config = { ...settings, subjects: [...settings.subjects], num_replicas: replicas };
    try {
      await manager.streams.add(config);
    } catch (error) {
      if (!isThere(nats, error)) throw error;
      const { name, ...changeable } = config;
      await manager.streams.update(name, changeable);
    }
  }
  const kvm = new nats.kv.Kvm(connection);
  for (const bucket of Object.values(buckets)) {
    await kvm.create(bucket, { replicas, history: 1, maxValueSize: valueBytes, allow_direct: false });
  }
}

/** JetStream's number for a stream that is there with other settings. */
const nameInUse = 10_058;

function isThere({ jetstream }: Bus['nats'], error: unknown): boolean {
  return error instanceof jetstream.JetStreamApiError && error.code === nameInUse;
}
