import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFleet } from '../../src/fleet/client/open-fleet.ts';
import { addressOf, axeFaults, listOf, rowOf, TestBrowser } from '../support/browser.ts';
import { MadeFleet } from '../support/fleet/machines.ts';
import { withoutNats } from '../support/nats.ts';
import { startUi } from '../support/ui.ts';

test('the list shows tasks on other hosts with their host, and has no host column without such tasks', {
  skip: withoutNats,
}, async () => {
  await using fleet = await MadeFleet.make();
  await fleet.host('h1');
  await fleet.spawn('sleep 1000', '-n', 'local-one');
  await using opened = await openFleet({ folder: join(fleet.base, '.config', 'outlive', 'fleet') });
  await using server = await startUi(fleet, { fleet: async () => opened });
  await using browser = await TestBrowser.start();
  const page = await browser.page(addressOf(server));
  await listOf(page);
  await rowOf(page, 'local-one').waitFor();
  const host = page.getByRole('columnheader', { name: 'Host' });
  assert.equal(await host.count(), 0);
  const task = await fleet.on('h1', 'echo seen; sleep 1000', '-n', 'remote-one');
  await rowOf(page, 'remote-one').getByText('running').waitFor();
  await host.waitFor();
  assert.equal(await rowOf(page, 'remote-one').locator('.host').textContent(), 'h1');
  assert.equal(await rowOf(page, 'local-one').locator('.host').textContent(), 'here');
  assert.deepEqual(await axeFaults(page), []);
  await rowOf(page, 'remote-one').click();
  assert.match(page.url(), new RegExp(`#/task/${task}$`));
  await page.locator('.log', { hasText: 'seen' }).waitFor();
  // What cannot be done with it is not offered.
  assert.equal(await page.getByRole('button', { name: 'Restart' }).count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Download' }).count(), 0);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.locator('dialog').getByRole('button', { name: 'Stop' }).click();
  await page.locator('header .status.killed').waitFor();
  assert.deepEqual(browser.faults, []);
});
