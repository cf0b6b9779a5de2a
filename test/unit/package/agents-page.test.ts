import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { root } from '../../support/repository.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const fences = fromMarkdown(read('docs/agents.md')).children.flatMap((node) =>
  node.type === 'code' ? [{ lang: node.lang, value: node.value }] : [],
);
const blocks = (lang: string): string[] =>
  fences.filter((fence) => fence.lang === lang).map(({ value }) => value);

test('every configuration of docs/agents.md parses, and starts outlive mcp', () => {
  const settings: unknown[] = blocks('json').map((text) => JSON.parse(text));
  assert.equal(settings.length, 9);
  for (const found of settings) assert.deepEqual(commandsIn(found), ['outlive mcp'], JSON.stringify(found));
  assert.deepEqual(blocks('jsonc'), []);
});

test('the TOML of docs/agents.md is one table of plain keys', () => {
  const [text = '', ...others] = blocks('toml');
  const [head, ...lines] = text.split('\n').filter((line) => !line.startsWith('#'));
  assert.deepEqual(others, []);
  assert.equal(head, '[mcp_servers.outlive]');
  const table = lines.map((line) => /^(\w+) = (.+)$/.exec(line)?.slice(1) ?? []);
  // Values of these kinds are the same in JSON.
  const values = Object.fromEntries(table.map(([key, value = '']) => [key, JSON.parse(value)]));
  // Without it `codex exec`, which cannot ask, refuses what can destroy something.
  const approval = { default_tools_approval_mode: 'approve' };
  assert.deepEqual(values, { command: 'outlive', args: ['mcp'], ...approval });
});

test('the block for agents without MCP names only verbs and options that the program has', () => {
  const [block = ''] = blocks('markdown');
  const lines = [...block.matchAll(/`outlive ([^`]+)`/g)].map(([, line = '']) => line);
  assert.ok(lines.length >= 8, `${lines.length} lines`);
  const sections = new Map(
    read('docs/cli.md')
      .split(/^### /m)
      .map((section) => [section.slice(0, section.indexOf('\n')), section]),
  );
  for (const line of lines) {
    const [verb = '', ...words] = line.replaceAll(/'[^']*'/g, 'X').split(' ');
    const section = sections.get(verb) ?? '';
    assert.notEqual(section, '', line);
    const options = words.filter((word) => /^--?\w/.test(word)).map((word) => word.split('=')[0] ?? '');
    for (const option of options) assert.match(section, new RegExp(`[\`\\s]${option}[\\s,<=\`[]`), line);
  }
});

/** Every command with its arguments in a configuration, as one line each. */
function commandsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { command, args = [] } = value as { command?: string | string[]; args?: string[] };
  if (command !== undefined) return [[command, args].flat(2).join(' ')];
  return Object.values(value).flatMap(commandsIn);
}
