import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildProgram } from '../../../src/cli/program.ts';
import { root } from '../../support/repository.ts';

const read = (path: string): Record<string, unknown> => JSON.parse(readFileSync(join(root, path), 'utf8'));

test('server.json describes the package of package.json to MCP registries', () => {
  const { name, version, mcpName, description } = read('package.json');
  const { packages, ...server } = read('server.json');
  assert.equal(
    server.$schema,
    'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
  );
  // A registry takes a package only for a server whose name the package has.
  assert.deepEqual([server.name, server.version, server.description], [mcpName, version, description]);
  // What the schema of that day says of them.
  assert.match(String(server.name), /^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/);
  assert.ok(String(server.description).length <= 100);
  const [only, ...others] = packages as Record<string, unknown>[];
  assert.deepEqual(others, []);
  assert.deepEqual([only?.registryType, only?.identifier, only?.version], ['npm', name, version]);
  assert.deepEqual(only?.transport, { type: 'stdio' });
  const [verb] = (only?.packageArguments ?? []) as { value: string }[];
  const verbs = buildProgram('0.0.0', () => undefined).commands.map((command) => command.name());
  assert.ok(verbs.includes(verb?.value ?? ''));
});
