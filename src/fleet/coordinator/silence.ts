import type { ConsumerMessages } from '@nats-io/jetstream';

/** A consumer that has missed so many heartbeats in a row is given up. */
const mostMissed = 3;

/**
 * Ends the messages of a consumer that is silent, so that its reader makes another one. One of three servers holds the consumer.
 * While that server is gone nobody says that the consumer is gone with it, and the client of NATS asks for it again and again.
 */
export async function endWhenSilent(messages: Pick<ConsumerMessages, 'status' | 'stop'>): Promise<void> {
  for await (const notice of messages.status())
    if (notice.type === 'heartbeats_missed' && notice.count >= mostMissed) messages.stop();
}
