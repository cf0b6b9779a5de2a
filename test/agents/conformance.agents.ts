import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { note } from '../support/agents/outcome.ts';
import { Running } from '../support/command-line.ts';
import { explained, failingIn, type Revision, revisions } from '../support/conformance/expected.ts';
import { SuiteProxy } from '../support/conformance/proxy.ts';
import { playSuite, type Results, suiteKey } from '../support/conformance/suite.ts';
import { root } from '../support/repository.ts';
import { World } from '../support/world.ts';

const token = 'a-token-for-the-suite';

test('over HTTP the explained checks of the MCP conformance suite fail, and no others', async () => {
  const outcome = { scene: 'conformance', agent: suiteKey, file: process.argv[1] };
  note({ ...outcome, passed: false });
  await using world = new World();
  const env = { PATH: process.env.PATH, HOME: world.base, OUTLIVE_HOME: world.dir, OUTLIVE_MCP_TOKEN: token };
  const words = [join(root, 'dist/bin/outlive.cjs'), 'mcp', '--http'];
  const server = new Running(spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  try {
    await server.says(/serves MCP at http:\S+\n/);
    const url = /http:\S+/.exec(server.stderr)?.[0] ?? '';
    const play = async (revision: Revision): Promise<Results> => {
      await using proxy = await SuiteProxy.start({ url, token, session: revision });
      return await playSuite(proxy.url, revision, join(world.base, revision));
    };
    const results = await Promise.all(revisions.map(play));
    assert.deepEqual(results.flatMap(surprises), []);
    const counts = results.map(({ scenarios, passed, failures }, at) => {
      return { revision: revisions[at], scenarios: scenarios.length, passed, failed: failures.size };
    });
    note({ ...outcome, passed: true, seen: { counts, explained } });
  } finally {
    await server.interrupted();
  }
});

/** What came otherwise than expected, with the words of the suite. */
function surprises({ failures }: Results, at: number): string[] {
  const revision = revisions[at] as Revision;
  const expected = failingIn(revision);
  const unexplained = [...failures].filter(([check]) => !expected.includes(check));
  const mended = expected.filter((check) => !failures.has(check));
  return [
    ...unexplained.map(([check, said]) => `${revision}: ${check} failed, and nothing explains that: ${said}`),
    ...mended.map(
      (check) => `${revision}: ${check} did not fail; strike it from the list of what is explained`,
    ),
  ];
}
