import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesUnder, root } from '../support/repository.ts';
import { importsOf, violations } from './import-graph.ts';

test('in src/ every import goes down the folder order, stays inside, and makes no cycle', () => {
  const files = filesUnder('src', '.ts');
  assert.notEqual(files.length, 0);
  const graph = new Map(files.map((file) => [file, importsOf(file, readFileSync(join(root, file), 'utf8'))]));
  assert.deepEqual(violations(graph), []);
});

test('every form of import is found', () => {
  const source = `
    import type { A } from './a.ts';
    import { type B, b } from './b.ts';
    import './c.ts';
    export * from './d.ts';
    export type { E } from './e.ts';
    const f = await import('./f.ts');
    let g: import('./g.ts').G;
    type H = typeof import('./h.ts');`;
  const names = [...'abcdefgh'].map((letter) => `./${letter}.ts`);
  assert.deepEqual(importsOf('x.ts', source), names);
});

test('an import of a computed path is refused', () => {
  assert.throws(() => importsOf('x.ts', 'await import(name)'), /computed path/);
});

const planted: Record<string, [file: string, specifier: string, found: RegExp]> = {
  'an upward import': ['src/model/decide.ts', '../engine/end/stop.ts', /engine.end is above model/],
  'an import of the folder beside': ['src/cli/ps.ts', '../mcp/server.ts', /mcp is beside cli/],
  'errors importing util': ['src/errors/error.ts', '../util/text.ts', /util is beside errors/],
  'an import of an index.ts': ['src/cli/ps.ts', '../index.ts', /users of the package/],
  'an import of the package by its name': ['src/cli/ps.ts', 'outlive', /users of the package/],
  'an import from outside': ['src/engine/end/stop.ts', '../../../test/support/world.ts', /outside of src/],
  'an import of a room above': [
    'src/engine/queue/queue.ts',
    '../spawn/spawn.ts',
    /spawn is above engine.queue/,
  ],
  'a file that lies flat in the engine': ['src/engine/stop.ts', 'node:fs', /not in the order/],
  'a folder nobody knows': ['src/helpers/a.ts', 'node:fs', /not in the order/],
  'a file that imports itself': ['src/util/a.ts', './a.ts', /cycle: src\/util\/a.ts > src\/util\/a.ts/],
};
for (const [what, [file, specifier, found]] of Object.entries(planted)) {
  test(`${what} is found`, () => {
    const [first, ...others] = violations(new Map([[file, [specifier]]]));
    assert.match(first ?? '', found);
    assert.deepEqual(others, []);
  });
}

test('a cycle of three files is found and spelled out', () => {
  const graph = new Map([
    ['src/util/a.ts', ['./b.ts']],
    ['src/util/b.ts', ['./c.ts', 'node:fs']],
    ['src/util/c.ts', ['./a.ts']],
  ]);
  assert.deepEqual(violations(graph), [
    'cycle: src/util/a.ts > src/util/b.ts > src/util/c.ts > src/util/a.ts',
  ]);
});

test('downward imports, imports within a folder and packages are allowed', () => {
  const graph = new Map([
    ['src/index.ts', ['./api/store.ts', './errors.ts']],
    ['src/api/store.ts', ['../engine/spawn/spawn.ts', './session.ts', 'node:fs', 'zod']],
    ['src/api/session.ts', ['../model/status.ts']],
    ['src/model/status.ts', ['../util/never.ts', '../errors.ts']],
  ]);
  assert.deepEqual(violations(graph), []);
});
