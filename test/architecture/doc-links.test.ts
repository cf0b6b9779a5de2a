import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesUnder, root } from '../support/repository.ts';
import { brokenLinks, brokenMentions, type Repository } from './links.ts';

const here: Repository = {
  exists: (path) => existsSync(join(root, path)),
  read: (path) => readFileSync(join(root, path), 'utf8'),
};

test('every link and every path in the documents leads somewhere', () => {
  const pages = readdirSync(root).filter((name) => name.endsWith('.md'));
  pages.push(...['docs', 'examples', '.github'].flatMap((folder) => filesUnder(folder, '.md')));
  assert.deepEqual(
    pages.flatMap((page) => brokenLinks(page, here)),
    [],
  );
});

test('every page of docs/ that a source file mentions exists', () => {
  const sources = ['src', 'bench', 'examples', 'test/support'].flatMap((folder) => filesUnder(folder, '.ts'));
  assert.deepEqual(
    sources.flatMap((source) => brokenMentions(source, here)),
    [],
  );
});

test('a missing file, a missing heading and a missing path are found; good ones are not', () => {
  const files: Record<string, string> = {
    'docs/page.md':
      '# A page\n[a](gone.md) [b](#a-page) [c](#none) [d](other.md#its-code-heading) [e](other.md#none)\n' +
      '[f](https://example.org) [g][ref] `src/gone.ts` `docs/other.md` `test/<kind>`\n\n[ref]: ../gone.txt\n',
    'docs/other.md': '## Its `code` *heading*\n',
    'src/a.ts': '// see docs/other.md and docs/gone.md\n',
  };
  const planted: Repository = { exists: (path) => path in files, read: (path) => files[path] ?? '' };
  assert.deepEqual(brokenLinks('docs/page.md', planted), [
    'docs/page.md: gone.md',
    'docs/page.md: #none',
    'docs/page.md: other.md#none',
    'docs/page.md: ../gone.txt',
    'docs/page.md: src/gone.ts',
  ]);
  assert.deepEqual(brokenMentions('src/a.ts', planted), ['src/a.ts: docs/gone.md']);
});
