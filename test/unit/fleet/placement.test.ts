import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostLoad, mostAssigned, place, whyNot } from '../../../src/fleet/coordinator/placement.ts';

function host(name: string, said: Partial<HostLoad> = {}): HostLoad {
  return { host: name, labels: {}, slots: 4, waiting: 0, running: 0, closed: null, ...said };
}

const any = { host: null, labels: {} };

test('the host with the lowest load for its slots gets a task', () => {
  const hosts = [host('a', { running: 2 }), host('b', { running: 3, slots: 8 }), host('c', { waiting: 3 })];
  assert.equal(place(any, hosts), 'b');
});

test('among equally loaded hosts the first by name gets it', () => {
  assert.equal(place(any, [host('b'), host('a')]), 'a');
});

test('a named host gets it, if it has the labels too', () => {
  const hosts = [host('a'), host('b', { labels: { gpu: '' } })];
  assert.equal(place({ host: 'a', labels: {} }, hosts), 'a');
  assert.equal(place({ host: 'a', labels: { gpu: null } }, hosts), null);
});

test('labels match by value, or by existence', () => {
  const hosts = [host('a', { labels: { region: 'eu' } }), host('b', { labels: { region: 'us', gpu: '1' } })];
  assert.equal(place({ host: null, labels: { region: 'us' } }, hosts), 'b');
  assert.equal(place({ host: null, labels: { gpu: null } }, hosts), 'b');
  assert.equal(place({ host: null, labels: { region: 'asia' } }, hosts), null);
  // What every object has is no label.
  assert.equal(place({ host: null, labels: { toString: null } }, hosts), null);
});

test('a closed host, or one on which too many tasks wait, gets nothing', () => {
  assert.equal(place(any, [host('a', { closed: 'cordoned' }), host('b', { waiting: mostAssigned })]), null);
  assert.equal(place(any, [host('a', { waiting: mostAssigned - 1 })]), 'a');
});

test('a refusal says whether there is no such host, or why the existing ones may not take the task', () => {
  assert.equal(whyNot({ host: 'x', labels: {} }, [host('a')]).code, 'FLEET_HOST');
  const busy = whyNot(any, [host('a', { closed: 'lost' }), host('b', { waiting: 100 })]);
  assert.equal(busy.code, 'FLEET_BUSY');
  assert.match(busy.message, /found that a is lost, that b is full\. Wait/);
  assert.match(whyNot({ host: null, labels: { gpu: null } }, [host('a')]).message, /none that matches/);
});
