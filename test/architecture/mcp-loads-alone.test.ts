import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../support/repository.ts';

test("importing 'outlive' loads nothing of its adapters and no package", () => {
  const library = join(root, 'build/src/index.js');
  // Whatever is loaded comes by here, whichever module asks for it.
  const hooks = `export async function resolve(name, context, next) {
    const found = await next(name, context);
    if (/node_modules|src\\/(?:mcp|acp|cli|tools)/.test(found.url)) throw new Error('loads ' + found.url);
    return found;
  }`;
  const program = `import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
    await import(${JSON.stringify(library)});
    try { await import(${JSON.stringify(join(root, 'build/src/mcp/index.js'))}); } catch { console.log('seen'); }`;
  const args = ['--input-type=module', '--eval', program];
  // The hook does see what is loaded: the server itself is refused.
  assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }).trim(), 'seen');
});
