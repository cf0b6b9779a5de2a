import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSync } from 'oxc-parser';
import { filesUnder, root } from '../../support/repository.ts';
import { samplesOf } from '../../support/samples.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/api.md');
/** The exported types of a file: others may have a type of the same name. */
function publicTypesOf(file: string): string[] {
  const index = read('src/index.ts');
  const exported = [...index.matchAll(/export [^;]* from '\.\/([^']*)';/g)];
  return exported
    .filter(([, from]) => `src/${from}` === file)
    .flatMap(([text]) => namesIn(/export type \{([^}]*)\}|\btype (\w+)/g, text));
}

test('docs/api.md names every export of the package', () => {
  const exported = namesIn(/export (?:type )?\{([^}]*)\}/g, read('src/index.ts'));
  assert.ok(
    exported.includes('openStore') && exported.includes('KillOptions') && exported.includes('Leftover'),
  );
  assert.deepEqual(
    exported.filter((name) => !mentions(name)),
    [],
  );
});

test('docs/api.md has every option, field and method of the public types', () => {
  const missing = ['src/api', 'src/engine', 'src/model', 'src/terminal']
    .flatMap((folder) => filesUnder(folder, '.ts'))
    .flatMap((file) => {
      const types = publicTypesOf(file);
      return membersOf(file).filter(({ type, member }) => types.includes(type) && !mentions(member));
    })
    .map(({ type, member }) => `${type}.${member}`);
  assert.deepEqual(missing, []);
});

test('docs/api.md has a program that calls every method, and every function of the package', () => {
  const code = samplesOf('docs/api.md').flatMap(({ lang, text }) => (lang === 'ts' ? [text] : []));
  const methods = ['src/api', 'src/engine'].flatMap((folder) =>
    filesUnder(folder, '.ts').flatMap((file) => {
      const types = publicTypesOf(file);
      return membersOf(file).filter(({ type, isMethod }) => isMethod && types.includes(type));
    }),
  );
  const names = new Set(methods.map(({ type, member }) => `${type}.${member}`));
  for (const name of ['Store.watch', 'Session.spawn', 'Task.kill', 'TaskReader.follow', 'UsageMeter.read'])
    assert.ok(names.has(name), name);
  const calls = [...methods.map(({ member }) => `.${member}(`), 'openStore(', 'diagnose(', 'isEnded('];
  const missing = calls.filter((call) => !code.some((text) => text.includes(call)));
  assert.deepEqual(missing, []);
});

test('the types that the test checks are found', () => {
  const found = new Set(membersOf('src/api/task.ts').map(({ type, member }) => `${type}.${member}`));
  for (const name of ['Task.kill', 'Task.ack', 'WaitOptions.timeoutMs']) assert.ok(found.has(name), name);
  assert.equal(found.has('Task.constructor') || found.has('Task.#grace'), false);
});

/** In code: as a word of its own, or as `something.member(`. */
function mentions(member: string): boolean {
  return new RegExp(`\`[^\`\n]*\\b${member}\\b[^\`\n]*\``).test(page);
}

function namesIn(pattern: RegExp, source: string): string[] {
  return [...source.matchAll(pattern)]
    .flatMap(([, list, single]) => (list ?? single ?? '').split(','))
    .map((name) => name.replace(/^\s*type\s/, '').trim())
    .filter((name) => name !== '');
}

interface Declaration {
  readonly type: string;
  readonly id?: { readonly name: string };
  readonly body?: { readonly body: readonly Member[] };
}

interface Member {
  readonly kind?: string;
  readonly static?: boolean;
  readonly key?: { readonly type: string; readonly name?: string };
}

/** The members of exported interfaces and classes, without private and computed ones. */
function membersOf(file: string): { type: string; member: string; isMethod: boolean }[] {
  return parseSync(file, read(file)).program.body.flatMap((statement) => {
    if (statement.type !== 'ExportNamedDeclaration') return [];
    const { type, id, body } = (statement.declaration ?? { type: '' }) as Declaration;
    if (type !== 'TSInterfaceDeclaration' && type !== 'ClassDeclaration') return [];
    return (body?.body ?? []).flatMap(({ key, kind, static: isStatic }) =>
      key?.type === 'Identifier' && key.name && !['constructor', 'open'].includes(key.name)
        ? [{ type: id?.name ?? '', member: key.name, isMethod: kind === 'method' && !isStatic }]
        : [],
    );
  });
}
