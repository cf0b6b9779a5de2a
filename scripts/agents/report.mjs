// The tables of a run, on the terminal, in docs/agents.md and in docs/mcp.md.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asMarkdownTable, replaceBetween } from '../prove/table.mjs';

/** The scene of what is played with hosts: agents are hosts, too, and the table is theirs as agents. */
const ofHosts = 'hosts';

const pages = {
  agents: { page: 'docs/agents.md', marks: ['<!-- agents:begin -->', '<!-- agents:end -->'] },
  conformance: { page: 'docs/mcp.md', marks: ['<!-- conformance:begin -->', '<!-- conformance:end -->'] },
};

/** What the tests have noted: a scene, an agent, and whether it passed. */
export function readOutcomes(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
}

/** The outcomes with a row for each agent and a column for each scene. */
export function agentTable(agents, outcomes) {
  const played = outcomes.filter(
    ({ agent, scene }) => scene !== ofHosts && agents.some(({ key }) => key === agent),
  );
  const scenes = [...new Set(played.map(({ scene }) => scene))].sort();
  const rows = agents.map(({ key, name, version }) => [
    name,
    version,
    ...scenes.map((scene) => cell(played.find((one) => one.scene === scene && one.agent === key))),
  ]);
  return asMarkdownTable(['agent', 'version', ...scenes], rows);
}

/** How many checks passed in each revision of the protocol, and why the others did not; null: the suite was not played to its end. */
export function conformanceTable({ key }, outcomes) {
  const { counts, explained } = outcomes.find(({ agent }) => agent === key)?.seen ?? {};
  if (counts === undefined) return null;
  const rows = counts.map((one) => [one.revision, one.scenarios, one.passed, one.failed].map(String));
  const why = explained.map((one) => [
    one.asks,
    ...counts.map(({ revision }) => String(one.checks[revision]?.length ?? '-')),
    one.why,
  ]);
  return [
    asMarkdownTable(['protocol', 'scenarios', 'checks passed', 'failed'], rows),
    asMarkdownTable(['asks for', ...counts.map(({ revision }) => `failed in ${revision}`), 'why'], why),
  ].join('\n\n');
}

/** Puts a table into its page, with the day and what was played. */
export function writeTable(name, table, played = '') {
  const { page, marks } = pages[name];
  const day = new Date().toISOString().slice(0, 10);
  replaceBetween(page, marks, `Seen on ${day}, on Linux${played}:\n\n${table}`);
}

function cell(outcome) {
  if (outcome === undefined) return '-';
  return outcome.passed ? (outcome.seen ?? 'yes') : '**no**';
}
