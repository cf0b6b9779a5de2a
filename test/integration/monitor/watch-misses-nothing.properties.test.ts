import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Events } from '../../../src/engine/monitor/folder-watch.ts';
import { StoreMonitor } from '../../../src/engine/monitor/monitor.ts';
import { Outbox } from '../../../src/engine/monitor/outbox.ts';
import { storeAsItIs } from '../../../src/engine/store/store-as-it-is.ts';
import type { StoreEvent } from '../../../src/index.ts';
import { currentSystem } from '../../../src/platform/current.ts';
import { PaperStore } from '../../support/monitor/paper-store.ts';
import { Viewer } from '../../support/monitor/viewer.ts';
import { World, waitFor } from '../../support/world.ts';

/** What happens to a store: to a session, or to one of its tasks. */
const anyDeed = fc.record({
  kind: fc.constantFrom(
    ...(['spawn', 'spawn', 'spawn', 'append', 'append', 'append', 'remove', 'remove'] as const),
    ...(['tidy', 'destroy', 'move', 'begin', 'pause', 'pause'] as const),
  ),
  session: fc.constantFrom('one', 'two', 'three'),
  nth: fc.nat(20),
  fact: fc.constantFrom('stop', 'outcome', 'delivered', 'watch'),
  pauseMs: fc.nat(60),
});

type Deed = typeof anyDeed extends fc.Arbitrary<infer T> ? T : never;

/** Does things to a store, and keeps in mind which tasks there are. */
async function perform(paper: PaperStore, deeds: readonly Deed[]): Promise<void> {
  const tasks = new Map<string, string[]>();
  const putBack: (() => void)[] = [];
  for (const { kind, session, nth, fact, pauseMs } of deeds) {
    const own = tasks.get(session) ?? [];
    const taskId = own[nth % Math.max(1, own.length)];
    if (kind === 'pause') await sleep(pauseMs);
    else if (kind === 'spawn') tasks.set(session, [...own, paper.spawn(session)]);
    else if (kind === 'begin') paper.beginFolder(session);
    else if (kind === 'tidy') paper.tidy(session);
    else if (kind === 'destroy') {
      paper.destroy(session);
      tasks.delete(session);
    } else if (taskId === undefined) continue;
    else if (kind === 'append') paper.append(session, taskId, fact);
    else if (kind === 'remove') {
      paper.remove(session, taskId);
      tasks.set(
        session,
        own.filter((id) => id !== taskId),
      );
    } else {
      putBack.push(paper.moveAway(session));
      await sleep(pauseMs);
      putBack.pop()?.();
    }
  }
}

/** As `store.watch()` does it, with the events that are to be had. */
async function* watching(dir: string, events: Events, over: AbortSignal): AsyncGenerator<StoreEvent> {
  const outbox = new Outbox();
  const watched = { sessionId: null, live: false, previewBytes: 0, events };
  const store = storeAsItIs(dir, await currentSystem());
  const monitor = new StoreMonitor(store, watched, (change) => outbox.put(change));
  try {
    yield { type: 'snapshot', ...(await monitor.start()) };
    while (!over.aborted) {
      const change = outbox.take();
      if (change === undefined) await outbox.next(over);
      else yield change;
    }
  } finally {
    monitor.close();
  }
}

const runs = { all: 40, some: 3, none: 6 } as const;

for (const events of ['all', 'some', 'none'] as const) {
  const how = { all: 'with events', some: 'with events that are not trusted', none: 'without events' }[
    events
  ];
  test(`whatever happens to a store, viewers of any speed end up with what a listing says, ${how}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyDeed, { maxLength: 12 }),
        fc.array(anyDeed, { minLength: 1, maxLength: 60 }),
        fc.array(fc.nat(20), { maxLength: 4 }),
        fc.boolean(),
        async (before, deeds, pauses, isEarly) => {
          await using world = new World();
          const store = await world.store();
          const paper = await PaperStore.in(store.dir);
          await perform(paper, before);
          const [fast, slow] = [new Viewer(), new Viewer()];
          fast.read(watching(store.dir, events, fast.over.signal));
          slow.read(watching(store.dir, events, slow.over.signal), pauses);
          // Else it all happens while they begin.
          if (isEarly)
            await waitFor(() => fast.events.length > 0 && slow.events.length > 0, 'both snapshots');
          await perform(paper, deeds);
          await fast.knows(store);
          await slow.knows(store);
          await fast.close();
          await slow.close();
        },
      ),
      // To find the shortest script takes minutes.
      { numRuns: runs[events], endOnFailure: true },
    );
  });
}
