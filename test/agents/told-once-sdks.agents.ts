import assert from 'node:assert/strict';
import { installed } from '../support/agents/installed.ts';
import { HostAtWork, hostsHad } from '../support/agents/sdk-host.ts';
import { assertTold, testIdle, testWithHosts } from '../support/agents/told-host.ts';
import { World } from '../support/world.ts';

testIdle(hostsHad());

const woken = hostsHad().filter(({ key }) => ['claude-agent-sdk', 'pi'].includes(key));
if (woken.length === 2)
  testWithHosts(
    'two idle agents of different hosts, with one store, are each woken by the end of its own command',
    woken.map(({ key }) => key),
    async () => {
      await using world = new World(installed().homes);
      const [first, second] = woken;
      assert.ok(first && second);
      await using one = await HostAtWork.start(first, world);
      await using other = await HostAtWork.start(second, world);
      await Promise.all([one.idle(), other.idle()]);
      one.release();
      other.release();
      await Promise.all([assertTold(one), assertTold(other)]);
    },
  );
