import assert from 'node:assert/strict';
import { realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { SetupHome } from '../../support/setup-home.ts';

const file = '.pi/agent/extensions/outlive.js';

/** What the extension has of pi: events, and tools. */
class Pi {
  readonly events = new Set<string>();
  on(event: string): void {
    this.events.add(event);
  }
}

test('pi gets an extension that loads the adapter of this package, and an undo removes it', async () => {
  await using home = new SetupHome();
  const [planned] = await home.setup('pi', '--dry-run');
  assert.deepEqual([planned?.change, planned?.written], ['create', false]);
  assert.match(planned?.diff, /\+export default piExtension\(\);/);
  assert.deepEqual(home.present(), []);
  const [line] = await home.setup('pi', '--yes');
  assert.deepEqual([line?.path, line?.state, line?.written], [join(home.base, file), 'not-set-up', true]);
  const adapter = join(dirname(realpathSync(home.path)), '..', 'adapters', 'pi.js');
  assert.ok(home.bytes(file).includes(`from "${pathToFileURL(adapter).href}";`), home.bytes(file));
  home.has('.pi/agent/extensions/package.json', '{ "type": "module" }');
  const { default: extension } = await import(pathToFileURL(join(home.base, file)).href);
  const pi = new Pi();
  extension(pi);
  assert.ok(pi.events.has('session_start'));
  rmSync(join(home.base, '.pi/agent/extensions/package.json'));
  const [undone] = await home.setup('pi', '--undo', '--yes');
  assert.deepEqual([undone?.change, undone?.exact], ['delete', true]);
  assert.deepEqual(home.present(), []);
});

test('pi’s extension has the named store and session, and a second setup replaces the first', async () => {
  await using home = new SetupHome();
  await home.setup('pi', '--yes');
  const dir = join(home.base, 'my "store"');
  const [line] = await home.setup('pi', '--yes', '--store', dir, '-s', 'mine');
  assert.equal(line?.change, 'edit');
  const options = JSON.stringify({ dir, session: 'mine' });
  assert.ok(home.bytes(file).endsWith(`export default piExtension(${options});\n`), home.bytes(file));
  assert.deepEqual(
    (await home.setup('pi', '--yes', '--store', dir, '-s', 'mine')).map(({ change }) => change),
    ['none'],
  );
  assert.equal((await home.setup('pi', '--undo', '--yes'))[0]?.change, 'delete');
  assert.deepEqual(home.present(), []);
});

test('an extension of pi that setup did not write stays, and so does a changed one', async () => {
  await using home = new SetupHome();
  const mine = '// mine\n';
  home.has(file, mine);
  const [line] = await home.setup('pi', '--yes');
  assert.deepEqual([line?.state, line?.change], ['by-hand', 'none']);
  assert.match(line?.note, /setup did not write it/);
  assert.equal((await home.setup('pi', '--undo', '--yes'))[0]?.change, 'none');
  assert.equal(home.bytes(file), mine);
  rmSync(join(home.base, file));
  await home.setup('pi', '--yes');
  const changed = `${home.bytes(file)}// and more\n`;
  home.has(file, changed);
  assert.equal((await home.setup('pi', '--undo', '--yes'))[0]?.change, 'none');
  assert.equal(home.bytes(file), changed);
});

test('without a record, an extension that is exactly what setup writes is removed', async () => {
  await using home = new SetupHome();
  await home.setup('pi', '--yes');
  rmSync(join(home.base, '.local/state/outlive-setup'), { recursive: true });
  const [undone] = await home.setup('pi', '--undo', '--yes');
  assert.deepEqual([undone?.change, undone?.exact], ['delete', false]);
  assert.deepEqual(home.present(), []);
});
