import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { endedStatuses, statusReasons, stopCauses } from '../../../src/model/words.ts';
import { root } from '../../support/repository.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('the glossary has every status of the source, and no other', () => {
  const union = /export type LiveStatus = (.*);/.exec(read('src/model/words.ts'))?.[1] ?? '';
  const live = [...union.matchAll(/'(\w+)'/g)].map(([, status]) => status);
  assert.equal(live.length, 4);
  assert.deepEqual(words('Statuses'), [...live, ...endedStatuses]);
});

test('the glossary has every reason of the source, and no other', () => {
  const causes = stopCauses.filter((cause) => cause !== 'leftovers');
  const files = ['model/decide', 'model/snapshot', 'engine/session/observe', 'engine/session/whereabouts'];
  const reasons = files.flatMap((file) =>
    quotedWords(read(`src/${file}.ts`)).filter((word) => !otherWords.has(word)),
  );
  const limits = quotedWords(read('src/model/held-limits.ts')).filter((word) => word.endsWith('_limit'));
  assert.deepEqual(new Set(words('Reasons')), new Set([...causes, ...reasons, ...limits]));
});

test('the types have every reason of the glossary, and no other', () => {
  assert.deepEqual(new Set(Object.values(statusReasons).flat()), new Set(words('Reasons')));
});

test('the glossary says that the cause leftovers is no reason', () => {
  assert.ok(section('Reasons').includes('`leftovers`'));
});

test('the glossary explains at most fifty words besides statuses and reasons', () => {
  const [explained = ''] = read('docs/glossary.md').split('\n## Statuses\n');
  const entries = [...explained.matchAll(/^\| (?!word |---)/gm)];
  assert.ok(entries.length > 30 && entries.length <= 50, `${entries.length} words`);
});

/**
 * Words in quotes in the files that give reasons, and which are something else. A new one fails the test: then
 * it belongs either here or in the glossary.
 */
const otherWords = new Set([
  ...endedStatuses,
  ...['queued', 'starting', 'running', 'killing'],
  ...['live', 'settle', 'ended'],
  ...['yes', 'no', 'unknown', 'lost'],
  ...['stdout', 'stderr', 'utf8'],
  ...['wait', 'cgroup', 'none'],
  ...['earlier_boot', 'here', 'unseen'],
]);

function quotedWords(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*|^(?:import|export) .* from .*$/gm, '');
  const types = code.replace(/Pick<[^>]*>/g, '');
  return [...types.matchAll(/'([A-Za-z][\w]*)'/g)].map(([, word = '']) => word);
}

/** The words in the first column of the tables of a section, in their order. */
function words(heading: string): string[] {
  return [...section(heading).matchAll(/^\| `(\w+)` \|/gm)].map(([, word = '']) => word);
}

function section(heading: string): string {
  const [, text = ''] = read('docs/glossary.md').split(`\n## ${heading}\n`);
  return text.split('\n## ')[0] ?? '';
}
