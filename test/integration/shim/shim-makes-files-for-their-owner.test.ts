import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BareShim } from '../../support/bare-shim.ts';
import { World, waitFor } from '../../support/world.ts';

/** The permissions of all files in a folder that a shim has made. */
function permissions(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name !== 'log' && name !== 'bin');
  return Object.fromEntries(
    names.map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]),
  );
}

for (const mask of ['0777', '0277', '0022', '0000']) {
  test(`with the umask ${mask} the owner can read and write the files of a shim, and the command has that umask`, async () => {
    await using world = new World();
    const shim = await BareShim.in(world.base);
    const request = shim.request('umask; sleep 1.2; echo more; exit 0', {
      queueFile: `${world.base}/queue`,
      order: 1,
      limit: 1,
      slots: `${world.base}/slots`,
      hook: 'umask',
      hookMs: 10_000,
      hookOutput: `${world.base}/hook`,
      hookFolder: world.base,
    });
    assert.equal(await shim.start(request, ['sh', '-c', `umask ${mask}; exec "$@"`, 'sh']), 0);
    await waitFor(() => shim.facts().some(({ fact }) => fact === 'hooked'), 'the end of the hook');
    assert.equal(shim.written(), `${mask}\nmore\n`);
    assert.equal(readFileSync(`${world.base}/hook`, 'utf8'), `${mask}\n`);
    const files = permissions(world.base);
    assert.deepEqual(files, {
      hook: '600',
      output: '600',
      'output.marks': '600',
      queue: '600',
      slots: '600',
    });
  });
}
