import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store, StoreEvent, TaskSnapshot } from '../../../src/index.ts';
import { waitFor } from '../world.ts';

/** Somebody who is told of a store, and keeps what he was told. */
export class Viewer {
  readonly tasks = new Map<string, TaskSnapshot>();
  readonly sessions = new Set<string>();
  readonly events: StoreEvent[] = [];
  readonly usages: Extract<StoreEvent, { type: 'usage' }>['usage'][] = [];
  readonly over = new AbortController();
  #reading: Promise<void> = Promise.resolve();

  /** @param pauses how long, in milliseconds, he does something else between two events, in turn. */
  read(events: AsyncIterable<StoreEvent>, pauses: readonly number[] = []): this {
    this.#reading = (async () => {
      let count = 0;
      for await (const event of events) {
        this.#take(event);
        const pause = pauses[count % pauses.length] ?? 0;
        if (pause > 0) await sleep(pause);
        count += 1;
      }
    })();
    this.#reading.catch(() => undefined);
    return this;
  }

  #take(event: StoreEvent): void {
    this.events.push(event);
    if (event.type === 'snapshot') {
      assert.equal(this.events.length, 1, 'the snapshot comes first, and once');
      for (const task of event.tasks) this.tasks.set(task.taskId, task);
      for (const id of event.sessions) this.sessions.add(id);
    } else if (event.type === 'changed') this.tasks.set(event.task.taskId, event.task);
    else if (event.type === 'gone') this.tasks.delete(event.taskId);
    else if (event.type === 'usage') this.usages.push(event.usage);
    else if (event.state === 'made') this.sessions.add(event.sessionId);
    else this.sessions.delete(event.sessionId);
  }

  /** Waits until he knows what a listing of the store says. */
  async knows(store: Store, withinMs = 5_000): Promise<void> {
    const listed = async (): Promise<string> =>
      JSON.stringify([(await store.tasks({ previewBytes: 0 })).map(said).sort(), store.sessions()]);
    const known = (): string =>
      JSON.stringify([[...this.tasks.values()].map(said).sort(), [...this.sessions].sort()]);
    try {
      await waitFor(async () => known() === (await listed()), 'the viewer to know the store', withinMs);
    } catch {
      assert.deepEqual(JSON.parse(known()), JSON.parse(await listed()));
    }
  }

  /** Ends it, and throws what the iteration has thrown. */
  async close(): Promise<void> {
    this.over.abort();
    await this.#reading;
  }
}

/** A snapshot without what changes with time alone. */
function said({ durationMs, lastSeenAt, output, ...rest }: TaskSnapshot): string {
  return JSON.stringify(rest);
}
