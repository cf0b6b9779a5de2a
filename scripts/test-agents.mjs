// npm run test:agents: the real agents, from npm, play scenes with outlive as their MCP server. Their model is ours. Then the
// conformance suite of MCP plays its client.
//   npm run test:agents -- WORD ...   only scenes (files of test/agents) and agents whose name contains one of the words
//   npm run test:agents -- conformance   the suite alone
//   --short                           one scene with each agent, and the suite, as CI has it
//   --write                           the table of docs/agents.md written anew, which needs all scenes with all agents,
//                                     and that of docs/mcp.md, which needs the suite
// What fails is played once more, by itself, and has failed when it fails again.
// OUTLIVE_AGENTS_RECORDS names a folder in which every request to the model is kept as it came. What cannot be
// installed is said loudly, and is no failure. Nothing reaches the network where this user may make a network of its own.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { alone } from './agents/alone.mjs';
import { cache, installAgents, makeHomes } from './agents/install.mjs';
import { agentTable, conformanceTable, readOutcomes, writeTable } from './agents/report.mjs';
import { agents, hosts, suite } from './agents/versions.mjs';
import { build, filesUnder, install, root } from './prepare.mjs';

const flag = { type: 'boolean', default: false };
const { values: asked, positionals: words } = parseArgs({
  options: { short: flag, write: flag },
  allowPositionals: true,
});
process.chdir(root);
install();
await build();

const inShort = 'told-once';
const testFiles = filesUnder('build/test/agents').filter((file) => file.endsWith('.agents.js'));
const scenes = testFiles.filter((file) => !isSuite(file));
const isSuiteNamed = words.some((word) => suite.key.includes(word));
const isSuiteAlone = isSuiteNamed && words.every((word) => suite.key.includes(word));
const wantedScenes = chosen(scenes, (file) => file, scenes).filter(
  (file) => !isSuiteAlone && (!asked.short || file.includes(inShort)),
);
const programs = [...agents, ...hosts.filter(({ isOlder }) => !asked.short || !isOlder)];
const wanted = isSuiteAlone ? [] : chosen(programs, ({ key }) => key, programs);
const wantedAgents = agents.filter((agent) => wanted.includes(agent));
const wantsSuite = words.length === 0 || isSuiteNamed;
const isWhole = wantedScenes.length === scenes.length && wantedAgents.length === agents.length;
const known = [...scenes, ...programs.map(({ key }) => key), suite.key];
if (words.some((word) => !known.some((name) => name.includes(word)))) {
  console.error(`npm run test:agents: no scene and no agent is called ${words.join(' or ')}`);
  process.exit(2);
}
if (process.platform !== 'linux') {
  shout(`The real agents were NOT tried: these tests know Linux alone, and this is ${process.platform}.`);
  process.exit(0);
}

const { missing, ...had } = installAgents([...(wantsSuite ? [suite] : []), ...wanted]);
for (const why of missing) shout(`NOT tried, because it cannot be installed: ${why}`);
if (Object.keys(had.modules).length === 0) process.exit(0);

const homes = makeHomes();
const scratch = join(homes, 'run');
const results = join(scratch, 'results');
let child;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    child?.kill(name);
    tidy();
    process.exit(128 + constants.signals[name]);
  });
}
const wantedFiles = [
  ...wantedScenes,
  // Without the suite there is no test in this file.
  ...testFiles.filter((file) => isSuite(file) && had.modules[suite.key] !== undefined),
];
let code = await play(wantedFiles, had.modules);
const failed = readOutcomes(results).filter(({ passed }) => !passed);
if (failed.length > 0) {
  // Agents give up by the clock, and a busy machine makes them. What fails by itself, too, has failed.
  const keys = new Set(failed.map(({ agent }) => agent));
  if (keys.has('claude-agent-sdk')) keys.add('claude-code');
  const modules = Object.fromEntries(Object.entries(had.modules).filter(([key]) => keys.has(key)));
  const files = [...new Set(failed.map(({ file }) => relative(root, file)))];
  shout(`Once more, by themselves: ${failed.map(({ scene, agent }) => `${scene} (${agent})`).join(', ')}`);
  code = await play(files, modules);
}
const outcomes = readOutcomes(results);
const table = wantedAgents.length > 0 ? agentTable(wantedAgents, outcomes) : null;
const conformance = conformanceTable(suite, outcomes);
tidy();
for (const one of [table, conformance]) if (one !== null) console.error(`\n${one}`);
if (asked.write && isWhole && missing.length === 0) writeTable('agents', table);
else if (asked.write) shout('docs/agents.md is as it was: its table needs all scenes with all agents.');
if (asked.write && conformance !== null)
  writeTable('conformance', conformance, `, with version ${suite.version} of the suite`);
else if (asked.write) shout('docs/mcp.md is as it was: its table needs the conformance suite.');
process.exitCode = code;

/** Runs scenes with some of the agents. Returns the exit code of the test runner. */
function play(files, modules) {
  mkdirSync(scratch, { recursive: true });
  const list = join(scratch, 'installed.json');
  writeFileSync(list, JSON.stringify({ node: had.node, modules, homes }));
  const reporter = process.stdout.isTTY ? 'spec' : 'tap';
  const concurrency = files.length < wantedFiles.length ? 1 : 2;
  const options = [
    '--enable-source-maps',
    '--test',
    `--test-reporter=${reporter}`,
    `--test-concurrency=${concurrency}`,
  ];
  const command = [process.execPath, ...options, ...files];
  const apart = alone(command, needed(), scratch);
  if (apart === null) shout('The agents can reach the network: this user may not make one of its own.');
  const [program, ...args] = apart ?? command;
  child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      OUTLIVE_AGENTS: list,
      OUTLIVE_AGENTS_RESULTS: results,
      OUTLIVE_TEST_SCRATCH: scratch,
    },
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
}

/** The folders that the tests need: a clone, or a cache, may lie in the /tmp that they do not see. */
function needed() {
  const { OUTLIVE_AGENTS_RECORDS: records } = process.env;
  if (records) mkdirSync(records, { recursive: true });
  const programs = [process.execPath, had.node].map((node) => dirname(node));
  return [root, cache, ...programs, ...(records ? [resolve(records)] : [])];
}

function isSuite(file) {
  return file.endsWith(`/${suite.key}.agents.js`);
}

function tidy() {
  rmSync(homes, { recursive: true, force: true });
}

/** What the words choose of these, or all if they choose none of them. */
function chosen(from, nameOf, all) {
  const some = from.filter((one) => words.some((word) => nameOf(one).includes(word)));
  return some.length === 0 ? all : some;
}

function shout(message) {
  console.error(`\n!!! ${message}\n`);
}
