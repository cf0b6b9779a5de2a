import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Msg } from '@nats-io/transport-node';
import type { Core } from '../../../src/fleet/coordinator/core.ts';
import { Heartbeats } from '../../../src/fleet/coordinator/heartbeats.ts';
import { Leases } from '../../../src/fleet/coordinator/leases.ts';
import { Ledger } from '../../../src/fleet/coordinator/ledger.ts';
import type { Lease } from '../../../src/fleet/wire/messages.ts';
import { wireVersion } from '../../../src/fleet/wire/names.ts';
import { open, SeenNonces, signingKey } from '../../../src/fleet/wire/signed.ts';
import { anAssignment, claim, written } from '../../support/fleet/samples.ts';

const key = signingKey(Buffer.alloc(32, 7));
const reply = '_INBOX.h1.one';
const { task } = anAssignment();

/** A coordinator that has not read all that is stored, until a test says so. */
class Lagging {
  readonly ledger = new Ledger();
  readonly answers: Lease[] = [];
  #reach: () => void = () => undefined;
  readonly #reached = new Promise<void>((resolve) => {
    this.#reach = resolve;
  });
  readonly #heartbeats: Heartbeats;

  constructor() {
    const core = {
      ...{ key, version: '0.1.0', ledger: this.ledger, leases: new Leases(30_000, performance.now()) },
      ...{ refused: new Map(), tails: { take: () => undefined }, audit: { refusedLease: () => undefined } },
      book: { get: () => undefined, change: async () => null },
      journal: { isSure: true, era: 'era', reach: async () => await this.#reached },
      bus: { connection: { isClosed: () => false, isDraining: () => false } },
    };
    this.#heartbeats = new Heartbeats(core as unknown as Core);
  }

  /** Asks, and lets the coordinator do what it can. */
  async ask(kind: 'hb' | 'list', said: object): Promise<void> {
    const heartbeat = {
      ...{ v: wireVersion, host: 'h1', version: '0.1.0', epoch: 'e1', labels: {}, slots: 4 },
      ...{ holds: [], owes: [], era: 'era', ...said },
    };
    const message = {
      ...{ subject: `${kind}.h1`, reply, data: Buffer.from(JSON.stringify(heartbeat)) },
      respond: (data: Uint8Array) => this.#take(data),
    };
    void this.#heartbeats.answer(message as unknown as Msg);
    await turn();
  }

  /** All that is stored has been read. */
  async reach(): Promise<void> {
    this.#reach();
    await turn();
  }

  #take(data: Uint8Array): boolean {
    const { body } = open(data, {
      ...{ audience: 'host:h1', subject: reply, issuers: new Set([key.publicKey]) },
      ...{ seen: new SeenNonces(), now: Date.now() },
    });
    this.answers.push(body as Lease);
    return true;
  }
}

test('a list request is answered when everything that was stored before it has been read', async () => {
  const coordinator = new Lagging();
  await coordinator.ask('list', {});
  assert.equal(coordinator.answers.length, 0);
  coordinator.ledger.take(written(1, 0, anAssignment()));
  coordinator.ledger.take(claim(2, anAssignment({ state: 'accepted', epoch: 'e1.a' })));
  await coordinator.reach();
  const listed = coordinator.answers[0]?.assignments.map(({ seq, assignment }) => [seq, assignment.state]);
  assert.deepEqual(listed, [[2, 'accepted']]);
});

test('the end of a task that was not read yet is not reported as acknowledged', async () => {
  const coordinator = new Lagging();
  await coordinator.ask('hb', { owes: [{ task, attempt: 1 }] });
  assert.equal(coordinator.answers.length, 0);
  coordinator.ledger.take(written(1, 0, anAssignment()));
  await coordinator.reach();
  assert.deepEqual(coordinator.answers[0]?.acknowledged, []);
});

test('a heartbeat that asks for nothing else is answered at once, and so is one with the end of an unknown task', async () => {
  const coordinator = new Lagging();
  await coordinator.ask('hb', {});
  assert.equal(coordinator.answers.length, 1);
  await coordinator.reach();
  await coordinator.ask('hb', { owes: [{ task, attempt: 1 }] });
  assert.deepEqual(coordinator.answers[1]?.acknowledged, [{ task, attempt: 1 }]);
});
