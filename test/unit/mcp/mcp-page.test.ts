import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allTools } from '../../../src/tools/all-tools.ts';
import { root } from '../../support/repository.ts';

const page = readFileSync(join(root, 'docs/mcp.md'), 'utf8');

test('docs/mcp.md has every tool, with every argument in its row', () => {
  for (const tool of allTools) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${tool.name}\` |`));
    assert.ok(row, `expected a row for ${tool.name}`);
    const missing = Object.keys(tool.input.shape).filter((name) => !row.includes(`\`${name}\``));
    assert.deepEqual(missing, [], tool.name);
  }
});

test('docs/mcp.md has every option of both servers', () => {
  for (const [file, type] of [
    ['stdio', 'StdioServerOptions'],
    ['http/server', 'HttpServerOptions'],
  ] as const) {
    const source = readFileSync(join(root, `src/mcp/${file}.ts`), 'utf8');
    const body = new RegExp(`interface ${type} \\{([^}]*)\\}`).exec(source)?.[1] ?? '';
    const options = [...body.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name);
    assert.ok(options.length >= 5, type);
    assert.deepEqual(
      options.filter((name) => !page.includes(`\`${name}\``)),
      [],
      type,
    );
  }
});
