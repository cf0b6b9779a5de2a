import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessIdentity } from '../../../src/model/words.ts';
import { fleetSessionOf } from '../../../src/tools/fleet/fleet-session.ts';
import {
  hashedAsker,
  requestIdOf,
  requestIdOfKey,
  startOfRequest,
} from '../../../src/tools/fleet/request-id.ts';

const here: ProcessIdentity = {
  ...{ pid: 4_194_303, start: 9_999_999_999_999, boot: 'boot', pidNamespace: 'pid:[4026531836]' },
  ...{ host: 'machine', machine: 'id' },
};
const asker = { party: 'a conversation', caller: 'a subagent', client: here };

test('the id of a request says who started the task, and fits the limit of the fleet', () => {
  const id = requestIdOf(asker, 123_456_789_012.7);
  assert.ok(id.length <= 100, id);
  const { party, caller } = hashedAsker(asker);
  assert.deepEqual(startOfRequest(id, here), {
    starter: { party, caller, client: { pid: here.pid, start: here.start } },
    by: here,
    monoMs: 123_456_789_012,
  });
  assert.notEqual(requestIdOf(asker, 1), requestIdOf(asker, 1));
});

test('the id leaves out what the client does not say', () => {
  const id = requestIdOf({ party: null, caller: null, client: { ...here, start: null } }, 7);
  assert.deepEqual(startOfRequest(id, here)?.starter, { client: { pid: here.pid, start: null } });
});

test('a process of an earlier boot of this machine is distinguished from one of another machine or container', () => {
  const id = requestIdOf(asker, 7);
  const rebooted = startOfRequest(id, { ...here, boot: 'the next' })?.by;
  assert.deepEqual([rebooted?.machine, rebooted?.host], ['id', 'machine']);
  assert.notEqual(rebooted?.boot, 'the next');
  const elsewhere = startOfRequest(id, { ...here, machine: 'other', boot: 'other' })?.by;
  assert.notEqual(elsewhere?.machine, 'other');
  const container = startOfRequest(id, { ...here, pidNamespace: 'pid:[1]' })?.by;
  assert.equal(container?.boot, 'boot');
  assert.notEqual(container?.pidNamespace, 'pid:[1]');
  assert.notEqual(container?.host, 'machine');
});

test('requests of other programs name no starter, and a key gives the same request only in its session', () => {
  for (const id of ['0123456789abcdef', requestIdOfKey('s', 'k'), 'mcp.', 'mcp.-.-.x'])
    assert.equal(startOfRequest(id, here), null, id);
  assert.equal(requestIdOfKey('s', 'k'), requestIdOfKey('s', 'k'));
  assert.notEqual(requestIdOfKey('s', 'k'), requestIdOfKey('t', 'k'));
  assert.ok(requestIdOfKey('s', 'k'.repeat(1_000)).length <= 100);
});

test('in the fleet a generated session name is specific to this machine, and a given name does not change', () => {
  assert.equal(fleetSessionOf('a conversation', here), 'a conversation');
  const made = fleetSessionOf('mcp:agent:/work', here);
  assert.match(made, /^mcp:agent:\/work@[0-9a-f]{12}$/);
  assert.equal(fleetSessionOf('mcp:agent:/work', { ...here, pid: 1, boot: 'the next' }), made);
  assert.notEqual(fleetSessionOf('mcp:agent:/work', { ...here, machine: 'other' }), made);
  assert.ok(fleetSessionOf(`mcp:agent:/${'x'.repeat(1_020)}`, here).length <= 1_024);
});
