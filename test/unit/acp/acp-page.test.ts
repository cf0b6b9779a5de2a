import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../support/repository.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/acp.md');

test('docs/acp.md has every export of outlive/acp, and every option', () => {
  const exported = [...read('src/acp/index.ts').matchAll(/\b[A-Za-z]{8,}\b(?=[, ]|\n)/g)].map(
    ([name]) => name,
  );
  assert.ok(exported.includes('serveTerminals') && exported.includes('TerminalUpdatesOptions'));
  const options = [
    ['terminals', 'TerminalsOptions', 5],
    ['updates', 'TerminalUpdatesOptions', 3],
  ].flatMap(([file, type, count]) => {
    const body = new RegExp(`interface ${type} \\{([^}]*)\\}`).exec(read(`src/acp/${file}.ts`))?.[1] ?? '';
    const names = [...body.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name ?? '');
    assert.equal(names.length, count, `options of ${type}`);
    return names;
  });
  const missing = [...exported, ...options].filter((name) => !new RegExp(`\\b${name}\\b`).test(page));
  assert.deepEqual(missing, []);
});
