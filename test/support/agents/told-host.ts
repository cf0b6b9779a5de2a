import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../world.ts';
import { installed } from './installed.ts';
import { note } from './outcome.ts';
import { HostAtWork, type SdkHost } from './sdk-host.ts';

/** A test that is played with hosts: it is told to the run, which plays again what has failed. */
export function testWithHosts(sentence: string, keys: readonly string[], play: () => Promise<void>): void {
  test(sentence, async () => {
    const noteAll = (passed: boolean): void => {
      for (const agent of keys)
        note({ scene: 'hosts', agent, file: process.argv[1], passed, test: sentence });
    };
    noteAll(false);
    await play();
    noteAll(true);
  });
}

/** One test a host: an idle agent is told once of the end of its command. */
export function testIdle(hosts: readonly SdkHost[]): void {
  for (const host of hosts)
    testWithHosts(
      `${host.name}: the end of a command in the background is told once to an idle agent, and acknowledged`,
      [host.key],
      async () => {
        await using world = new World(installed().homes);
        await using atWork = await HostAtWork.start(host, world);
        await atWork.idle();
        assert.equal((await atWork.build()).status, 'running');
        atWork.release();
        await assertTold(atWork);
      },
    );
}

/** The end of the build is told in one text, wholly, and it is acknowledged. */
export async function assertTold(host: HostAtWork): Promise<void> {
  const { said, answers } = await host.woken();
  const texts = [...said, ...answers].filter((text) => text.includes(host.line));
  assert.equal(texts.length, 1, texts.join('\n----\n'));
  assert.match(texts[0] ?? '', /"build" failed \(exit code 3\)/);
  const { status, delivered } = await host.build();
  assert.deepEqual([status, delivered], ['failed', true]);
}
