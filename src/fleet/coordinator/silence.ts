import type { ConsumerMessages } from '@nats-io/jetstream';

/** A consumer is given up after this many missed heartbeats in a row. */
const mostMissed = 3;

/**
 * Ends the messages of a silent consumer, so that its reader creates another one. One of the three servers has the
 * consumer. While that server is down, nobody reports that the consumer is gone, and the NATS client keeps asking for
 * it.
 */
export async function endWhenSilent(messages: Pick<ConsumerMessages, 'status' | 'stop'>): Promise<void> {
  for await (const notice of messages.status())
    if (notice.type === 'heartbeats_missed' && notice.count >= mostMissed) messages.stop();
}
