import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installed } from '../support/agents/installed.ts';
import { HostAtWork, hostsHad } from '../support/agents/sdk-host.ts';
import { World } from '../support/world.ts';

/** The end of the build is told in one text, wholly, and it is acknowledged. */
async function assertTold(host: HostAtWork): Promise<void> {
  const { said, answers } = await host.woken();
  const texts = [...said, ...answers].filter((text) => text.includes(host.line));
  assert.equal(texts.length, 1, texts.join('\n----\n'));
  assert.match(texts[0] ?? '', /"build" failed \(exit code 3\)/);
  const { status, delivered } = await host.build();
  assert.deepEqual([status, delivered], ['failed', true]);
}

for (const host of hostsHad())
  test(`${host.name}: the end of a command in the background is told once to an idle agent, and acknowledged`, async () => {
    await using world = new World(installed().homes);
    await using atWork = await HostAtWork.start(host, world);
    await atWork.idle();
    assert.equal((await atWork.build()).status, 'running');
    atWork.release();
    await assertTold(atWork);
  });

const woken = hostsHad().filter(({ key }) => ['claude-agent-sdk', 'pi'].includes(key));
if (woken.length === 2)
  test('two idle agents of different hosts, with one store, are each woken by the end of its own command', async () => {
    await using world = new World(installed().homes);
    const [first, second] = woken;
    assert.ok(first && second);
    await using one = await HostAtWork.start(first, world);
    await using other = await HostAtWork.start(second, world);
    await Promise.all([one.idle(), other.idle()]);
    one.release();
    other.release();
    await Promise.all([assertTold(one), assertTold(other)]);
  });
