import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { filesUnder, root } from '../support/repository.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const workflows = filesUnder('.github/workflows', '.yml');

test('every action of a workflow is pinned to a commit hash, with its tag in a comment', () => {
  const uses = workflows.flatMap((file) =>
    [...read(file).matchAll(/^.*\buses:\s*(.*)$/gm)].map(([, action = '']) => ({ file, action })),
  );
  assert.ok(uses.length > 5);
  assert.deepEqual(
    uses.filter(({ action }) => !isPinned(action)),
    [],
  );
  // One action has one hash everywhere.
  const pins = new Set(uses.map(({ action }) => action));
  assert.equal(pins.size, new Set([...pins].map((action) => action.split('@')[0])).size);
});

test('a tag and a short hash are refused, and so is a hash without its tag', () => {
  const hash = '0123456789abcdef0123456789abcdef01234567';
  assert.equal(isPinned(`actions/checkout@${hash} # v4.2.2`), true);
  for (const action of [
    'actions/checkout@v4',
    'actions/checkout@0123456 # v4.2.2',
    `actions/checkout@${hash}`,
  ])
    assert.equal(isPinned(action), false, action);
});

test('workflows may only read, except for jobs that say what they write', () => {
  for (const file of workflows) assert.match(read(file), /^permissions:\n {2}contents: read\n/m, file);
});

test('CI tests every version of Node that README names, and Bun', () => {
  const tried = /node: \[([\d, ]+)\]/.exec(read('.github/workflows/ci.yml'))?.[1]?.split(', ') ?? [];
  const [, named = ''] = /tested on ([\d, and]+), and on Bun/.exec(read('README.md')) ?? [];
  assert.deepEqual(tried, named.match(/\d+/g));
  assert.match(read('.github/workflows/ci.yml'), /npm run prove -- bun/);
});

test('a release is refused while a placeholder, the tag or the changelog is wrong', async () => {
  const { missing, notesOf } = await import(pathToFileURL(join(root, 'scripts/release.mjs')).href);
  const url = 'https://github.com/somebody/outlive';
  const manifest = { version: '1.2.0', repository: { url }, homepage: url, bugs: { url } };
  const changelog = '# Changes\n\n## 1.2.0 (2027-01-02)\n\n- It is new.\n\n## 1.1.0\n\n- Old.\n';
  const good = { manifest, changelog, owners: '* @somebody\n' };
  assert.deepEqual(missing('v1.2.0', good), []);
  assert.equal(notesOf(changelog, '1.2.0'), '- It is new.\n');
  const wrong: [string, object][] = [
    ['v1.2.1', good],
    ['v1.2.0', { ...good, owners: '* @OWNER\n' }],
    ['v1.2.0', { ...good, manifest: { ...manifest, homepage: 'https://github.com/OWNER/outlive' } }],
    ['v1.2.0', { ...good, manifest: { ...manifest, repository: undefined } }],
    ['v1.2.0', { ...good, changelog: '## 1.2.0 (not released yet)\n' }],
    ['v1.2.0', { ...good, changelog: '## 1.1.0\n' }],
  ];
  for (const [tag, facts] of wrong) assert.equal(missing(tag, facts).length, 1, JSON.stringify([tag, facts]));
});

function isPinned(action: string): boolean {
  return /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action);
}
