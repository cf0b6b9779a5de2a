import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientCredentials } from '../../../src/fleet/admin/credentials.ts';
import type { ClientLink } from '../../../src/fleet/admin/invite.ts';
import { Fleet } from '../../../src/fleet/client/fleet.ts';

/** A fleet whose coordinator answers each request with a task in a state, and what it was asked. */
function fleetThatSays(state: string): { readonly fleet: Fleet; readonly asked: [string, object][] } {
  const asked: [string, object][] = [];
  const link = {
    era: () => 'e',
    async ask(operation: string, body: object) {
      asked.push([operation, body]);
      return { task: 'bgb-0123456789ab', host: 'h1', state };
    },
  };
  return { fleet: new Fleet(link as unknown as ClientLink, {} as ClientCredentials), asked };
}

for (const acceptMs of [-1, 0.5, 60_001, Number.NaN, '1' as unknown as number])
  test(`a wait of ${acceptMs} ms for a host is refused, and no request is sent`, async () => {
    const { fleet, asked } = fleetThatSays('assigned');
    await assert.rejects(fleet.spawn('true', { on: 'any', acceptMs }), { code: 'INVALID_ARGUMENT' });
    assert.deepEqual(asked, []);
  });

test('a task that its host has accepted is not requested again', async () => {
  const { fleet, asked } = fleetThatSays('accepted');
  const task = await fleet.spawn('true', { on: 'any', acceptMs: 5_000 });
  assert.equal((await task.wait({ until: 'accepted' }))?.state, 'accepted');
  assert.deepEqual(
    asked.map(([operation, body]) => [operation, (body as { acceptMs?: number }).acceptMs]),
    [['run', 5_000]],
  );
});
