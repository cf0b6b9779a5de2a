import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { test } from 'node:test';
import { parse as parseToml } from 'smol-toml';
import { type Agent, agents, type Place } from '../../../src/cli/setup/agents.ts';
import { isTable, valueAt } from '../../../src/cli/setup/piece.ts';
import { root } from '../../support/repository.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const launch = { program: ['outlive'], named: {} };
const user: Place = { home: '/home/me', project: null, env: {}, platform: 'linux' };
const project: Place = { ...user, project: '/home/me/work' };

/** The configurations of a section of docs/agents.md, parsed. */
function shownFor({ name }: Agent): unknown[] {
  const sections = read('docs/agents.md').split(/^### /m);
  const section = sections.find((one) => one.startsWith(`${name}\n`));
  assert.ok(section !== undefined, `docs/agents.md has no section ${name}`);
  return [...section.matchAll(/^```(json|toml)\n([\s\S]*?)^```$/gm)].map(([, lang, text = '']) =>
    // A table of TOML has no prototype.
    lang === 'toml' ? JSON.parse(JSON.stringify(parseToml(text))) : JSON.parse(text),
  );
}

for (const agent of agents)
  test(`docs/agents.md shows for ${agent.name} what outlive setup writes`, () => {
    const [server] = agent.targets(project, launch).flatMap(({ pieces }) => pieces);
    assert.ok(server);
    const [shown] = shownFor(agent);
    assert.deepEqual(valueAt(shown, server.path), server.value);
    const top = server.path[0] ?? '';
    const others = isTable(shown) ? Object.keys(shown).filter((key) => key !== top && key !== '$schema') : [];
    assert.deepEqual(others, []);
  });

test('the table of docs/setup.md names every file that outlive setup writes', () => {
  const rows = new Map(
    [...read('docs/setup.md').matchAll(/^\| `(\w+)` \| (.*?) \| (.*?) \| (.*) \|$/gm)].map(
      ([, key = '', ...cells]) => [key, cells],
    ),
  );
  assert.deepEqual(
    [...rows.keys()],
    agents.map(({ key }) => key),
  );
  for (const agent of agents) {
    const [ofUser = '', ofProject = ''] = rows.get(agent.key) ?? [];
    const named = (cell: string): string[] => [...cell.matchAll(/`([^`$]+)`/g)].map(([, path = '']) => path);
    const filesOf = (place: Place, base: string, start: string): string[] =>
      agent.targets(place, launch).map(({ path }) => path.replaceAll(sep, '/').replace(base, start));
    const files = filesOf(user, '/home/me/', '~/');
    // Its folder is named by another system on each platform.
    if (agent.key === 'vscode') assert.deepEqual(named(ofUser), ['mcp.json']);
    else for (const file of files) assert.ok(named(ofUser).includes(file), `${agent.key}: ${file}`);
    for (const file of filesOf(project, '/home/me/work/', ''))
      assert.ok(named(ofProject).includes(file), `${agent.key}: ${file}`);
  }
});
