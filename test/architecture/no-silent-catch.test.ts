import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSync } from 'oxc-parser';
import { filesUnder, root } from '../support/repository.ts';

/** Why an error may be dropped there: each of these has somebody else who gets it. */
const allowed: Readonly<Record<string, string>> = {
  'src/api/store.ts': 'who opens the session gets it; twice',
  'src/engine/end/stop.ts': 'who asked for the stop gets it',
  'src/engine/spawn/spawn.ts': 'it is awaited a few lines further on',
  'src/errors/error.ts': 'the object of a caller throws when it is to be shown',
  'src/fleet/agent/views.ts': 'who asks for the view gets it',
  'src/platform/linux/process-list.ts': 'who waits for that scan gets it',
  'src/ui/remote-feed.ts': 'who takes the next value gets it',
  'src/util/queue.ts': 'who gave the job gets it',
};

interface Node {
  readonly type?: string;
  readonly param?: unknown;
  readonly callee?: { readonly property?: { readonly name?: string } };
  readonly arguments?: readonly { readonly params?: readonly unknown[] }[];
}

/** How many errors a file catches without looking at them. */
function silent(node: unknown): number {
  if (typeof node !== 'object' || node === null) return 0;
  const { type, param, callee, arguments: given } = node as Node;
  const isClause = type === 'CatchClause' && param === null;
  const isHandler =
    type === 'CallExpression' && callee?.property?.name === 'catch' && given?.[0]?.params?.length === 0;
  const below = Object.values(node).reduce((sum: number, child) => sum + silent(child), 0);
  return below + (isClause || isHandler ? 1 : 0);
}

function silentIn(source: string): number {
  return silent(parseSync('x.ts', source).program);
}

test('no catch in src/ ignores its error, unless another caller gets the error', () => {
  const found = filesUnder('src', '.ts').filter(
    (file) => silentIn(readFileSync(join(root, file), 'utf8')) > 0,
  );
  assert.deepEqual(found, Object.keys(allowed));
});

test('every way to ignore an error is found', () => {
  assert.equal(silentIn('try { a(); } catch {}'), 1);
  assert.equal(silentIn('try { a(); } catch { b(); }'), 1);
  assert.equal(silentIn('void a().catch(() => undefined);'), 1);
  assert.equal(silentIn('void a().then(b).catch(() => c()).finally(d);'), 1);
  assert.equal(silentIn('try { a(); } catch (error) { b(error); } void c().catch((e) => d(e)).catch(e);'), 0);
});
