import { posix } from 'node:path';
import { parseSync } from 'oxc-parser';

/** For each file of src/, the specifiers that it imports, as written. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

// From the top down; folders on one line do not import each other.
const order = [
  ['index'],
  ['entry-points'],
  ['bin'],
  ['cli', 'mcp', 'acp', 'adapters', 'ui'],
  ['tools'],
  ['doctor', 'fleet/client'],
  ['fleet/service'],
  ['fleet/agent', 'fleet/coordinator'],
  ['fleet/admin'],
  ['fleet/bus'],
  ['fleet/wire'],
  ['api'],
  ['engine/windows'],
  ['engine/monitor'],
  ['engine/wait'],
  ['engine/spawn'],
  ['engine/interact'],
  ['engine/supervise'],
  ['engine/end'],
  ['engine/processes'],
  ['engine/completions'],
  ['engine/watches'],
  ['engine/queue'],
  ['engine/store'],
  ['engine/session'],
  ['shim'],
  ['terminal'],
  ['tasklog'],
  ['platform', 'web'],
  ['model'],
  ['errors', 'util'],
];

/** Every module that the source names: import, export from, import(), and import() in a type. */
export function importsOf(file: string, source: string): string[] {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const found: string[] = [];
  collectSources(program, file, found);
  return found;
}

/** What is wrong with the graph, one sentence each; empty when nothing is. */
export function violations(graph: ImportGraph): string[] {
  const edges = [...graph].flatMap(([file, specifiers]) =>
    specifiers.map((specifier) => ({ file, specifier, target: targetOf(file, specifier) })),
  );
  const unknown = [...graph.keys()].filter((file) => rankOf(file) === -1);
  const forbidden = edges.flatMap(({ file, specifier, target }) => {
    const reason = target === undefined ? undefined : whyForbidden(file, target);
    return reason === undefined ? [] : [`${file} imports ${specifier}: ${reason}`];
  });
  const cycle = findCycle(graph);
  return [
    ...unknown.map((file) => `${file}: its folder is not in the order`),
    ...forbidden,
    ...(cycle ? [`cycle: ${cycle.join(' > ')}`] : []),
  ];
}

function collectSources(node: unknown, file: string, found: string[]): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'source' && typeof value === 'object' && value !== null) {
      if (typeof value.value !== 'string') throw new Error(`${file}: an import of a computed path`);
      found.push(value.value);
    } else collectSources(value, file, found);
  }
}

/** The imported file as a path from the top of the repository; undefined for a module of Node or a package. */
function targetOf(file: string, specifier: string): string | undefined {
  if (specifier === 'outlive' || specifier.startsWith('outlive/')) return 'src/index.ts';
  if (!/^[./#]/.test(specifier)) return undefined;
  return specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier;
}

function whyForbidden(file: string, target: string): string | undefined {
  if (!target.startsWith('src/')) return 'it is outside of src/';
  if (posix.basename(target) === 'index.ts') return 'an index.ts is for users of the package';
  if (folderOf(file) === folderOf(target)) return undefined;
  if (rankOf(target) < rankOf(file)) return `${folderOf(target)} is above ${folderOf(file)}`;
  if (rankOf(target) === rankOf(file)) return `${folderOf(target)} is beside ${folderOf(file)}`;
  return undefined;
}

/** A folder of src/, or a room of the engine or the fleet, in which nothing lies flat. */
function folderOf(file: string): string {
  const [, folder = '', room = ''] = file.split('/');
  return folder === 'engine' || folder === 'fleet' ? `${folder}/${room}` : folder.replace(/\.ts$/, '');
}

function rankOf(file: string): number {
  return order.findIndex((folders) => folders.includes(folderOf(file)));
}

/** The files of one cycle, the first again at its end. */
function findCycle(graph: ImportGraph): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const specifier of graph.get(file) ?? []) {
      const target = targetOf(file, specifier);
      const cycle = target === undefined ? undefined : visit(target, [...path, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}
