import { relative, resolve, sep } from 'node:path';
import { OutliveError, shown } from '../errors/error.ts';
import { homeFolder } from '../platform/home-folder.ts';
import { visible } from '../util/visible.ts';
import { agrees, canAsk } from './ask.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import type { CommonOptions } from './open.ts';
import { jsonLine } from './present/task.ts';
import { type Agent, agents, isFound, type Place } from './setup/agents.ts';
import { carryOut, checkPlans } from './setup/apply.ts';
import { type Launch, launchOf } from './setup/launch.ts';
import { type Plan, planSetup, planUndo, type TargetState } from './setup/plan.ts';
import { pluginAgents, pluginOf, writePlugin } from './setup/plugin.ts';
import { shownDiff } from './setup/shown-diff.ts';
import type { ConfigTarget } from './setup/target.ts';
import { packageVersion } from './version.ts';

interface SetupOptions extends CommonOptions {
  readonly project?: boolean;
  readonly undo?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  /** The folder of a plugin that is written in place of the agent's own files. */
  readonly plugin?: string;
}

/** A file that one agent is to have, and what would become of it. */
interface Step {
  readonly agent: Agent;
  readonly target: ConfigTarget;
  readonly plan: Plan;
}

/** `outlive setup`: writes outlive into the configuration of agents, or takes it out again. 1 when the answer was no. */
export async function setup(io: Io, words: readonly string[], options: SetupOptions): Promise<number> {
  checkOptions(words, options);
  const chosen = [...new Set(words.map(agentNamed))];
  const place = placeOf(options);
  const launch = launchOf(place.project !== null || options.plugin !== undefined, options);
  if (options.plugin !== undefined) await writeFolder(io, chosen, launch, options.plugin, options);
  else if (chosen.length === 0) await list(io, place, launch);
  else return await change(io, chosen, place, launch, options);
  return exitStatus.ok;
}

function checkOptions(words: readonly string[], { undo, dryRun, yes, project, plugin }: SetupOptions): void {
  const found = Object.entries({ '--undo': undo, '--dry-run': dryRun, '--yes': yes, '--plugin': plugin });
  const [alone] = found.filter(([, value]) => value !== undefined).map(([name]) => name);
  if (words.length === 0 && alone !== undefined)
    throw new OutliveError('USAGE', `expected an agent with ${alone}; found none. See: outlive setup`);
  if (plugin !== undefined && (undo || project))
    throw new OutliveError(
      'USAGE',
      `expected --plugin without ${undo ? '--undo' : '--project'}; found both. A plugin is removed by the agent, or with its folder.`,
    );
}

function agentNamed(word: string): Agent {
  const agent = agents.find(({ key, aliases }) => key === word || aliases.includes(word));
  if (agent !== undefined) return agent;
  throw new OutliveError(
    'USAGE',
    `expected an agent out of ${agents.map(({ key }) => key).join(', ')}; found ${shown(word)}. To set up another agent by hand, see docs/agents.md.`,
  );
}

function placeOf({ project = false }: SetupOptions): Place {
  const { env, platform } = process;
  return { home: homeFolder(), project: project ? process.cwd() : null, env, platform };
}

/** One line for each agent that is known. */
async function list(io: Io, place: Place, launch: Launch): Promise<void> {
  const rows = agents.map((agent) => {
    const files = agent
      .targets(place, launch)
      .map((target) => ({ path: target.path, ...standing(target, place) }));
    const state = files.find(({ state: one }) => one !== files[0]?.state) ? 'in-part' : files[0]?.state;
    return {
      agent: agent.key,
      name: agent.name,
      found: isFound(agent, place),
      scope: scopeOf(place),
      state,
      files,
    };
  });
  if (io.json) return await io.out(rows.map(jsonLine).join(''));
  const words: Readonly<Record<string, string>> = {
    'set-up': io.colours.green('set up'.padEnd(10)),
    'by-hand': 'by hand'.padEnd(10),
    'in-part': io.colours.yellow('in part'.padEnd(10)),
    unusable: io.colours.red('unusable'.padEnd(10)),
  };
  const lines = rows.map(({ agent, found, state, files }) => {
    const word = words[state ?? ''] ?? (found ? 'not set up' : io.colours.dim('not found '));
    return `${agent.padEnd(9)} ${word}  ${files.map(({ path }) => short(path, place)).join(', ')}\n`;
  });
  await io.out(lines.join(''));
  for (const { files } of rows) for (const { problem } of files) if (problem !== null) io.note(problem);
  io.note(`to write one of them: ${io.hint('setup')} AGENT`);
}

function standing(
  target: ConfigTarget,
  place: Place,
): { state: TargetState | 'unusable'; problem: string | null } {
  try {
    return { state: planSetup(target, place).state, problem: null };
  } catch (error) {
    if (!(error instanceof OutliveError) || error.code !== 'CONFIG_UNUSABLE') throw error;
    return { state: 'unusable', problem: error.message };
  }
}

/** Shows what changes, asks, and writes it. All files are looked at before the first is written. */
async function change(
  io: Io,
  chosen: readonly Agent[],
  place: Place,
  launch: Launch,
  options: SetupOptions,
): Promise<number> {
  const { undo = false, dryRun = false, yes = false } = options;
  const plan = (target: ConfigTarget): Plan => (undo ? planUndo : planSetup)(target, place);
  const steps: Step[] = chosen.flatMap((agent) =>
    agent.targets(place, launch).map((target) => ({ agent, target, plan: plan(target) })),
  );
  checkPlans(steps.map((step) => step.plan));
  const changes = steps.filter((step) => step.plan.after !== undefined);
  const isAsked = changes.length > 0 && !dryRun && !yes;
  if (isAsked && !canAsk(io))
    throw new OutliveError(
      'USAGE',
      'expected a terminal, to ask before writing; found none. To see what changes: --dry-run. To write it: --yes.',
    );
  if (!io.json) for (const step of steps) await show(io, step, place, undo);
  const isWanted = !dryRun && (!isAsked || (await agrees(undo ? 'Remove it?' : 'Write this?')));
  for (const step of isWanted ? steps : []) carryOut(() => plan(step.target), place);
  if (io.json) for (const step of steps) await io.out(jsonLine(asData(io, step, place, isWanted)));
  else if (isWanted && changes.length > 0)
    await io.out(`${changes.map(({ plan: { file, after } }) => wrote(file.real, after, place)).join('')}`);
  if (isWanted && changes.length > 0) io.note('running agents read it when they restart');
  return dryRun || isWanted ? exitStatus.ok : exitStatus.notSeen;
}

async function show(io: Io, { agent, target, plan }: Step, place: Place, undo: boolean): Promise<void> {
  const { file, before, after, note, state } = plan;
  const link = file.real === file.path ? '' : ` (leads to ${short(file.real, place)})`;
  const path = `${agent.name}: ${short(target.path, place)}${link}`;
  const done = undo ? 'has nothing of setup' : state === 'set-up' ? 'is set up already' : 'stays as it is';
  if (after === undefined) await io.out(`${path} ${done}\n`);
  else
    await io.out(
      `${path}${after === null ? ' goes' : file.bytes === null ? ' is new' : ''}\n${shownDiff(before, after ?? '', io)}`,
    );
  if (note !== null) io.note(`${short(target.path, place)}: ${note}`);
  if (after !== undefined && !undo && agent.note !== undefined) io.note(agent.note);
}

function asData(io: Io, { agent, target, plan }: Step, place: Place, isWanted: boolean): object {
  const { file, before, after, note, exact, state } = plan;
  const change =
    after === undefined ? 'none' : after === null ? 'delete' : file.bytes === null ? 'create' : 'edit';
  return {
    agent: agent.key,
    scope: scopeOf(place),
    path: target.path,
    linkTo: file.real === file.path ? null : file.real,
    state,
    change,
    diff: after === undefined ? '' : shownDiff(before, after ?? '', io),
    written: isWanted && after !== undefined,
    exact,
    note,
  };
}

function wrote(path: string, after: string | null | undefined, place: Place): string {
  return `${after === null ? 'removed' : 'wrote'} ${short(path, place)}\n`;
}

/** Writes the folder of a plugin: nothing of an agent's is changed, so nobody is asked. */
async function writeFolder(
  io: Io,
  [agent, ...others]: readonly Agent[],
  launch: Launch,
  dir: string,
  { dryRun = false }: SetupOptions,
): Promise<void> {
  if (agent === undefined || others.length > 0 || !pluginAgents.includes(agent.key))
    throw new OutliveError(
      'USAGE',
      `expected one agent that has plugins (${pluginAgents.join(', ')}) with --plugin; found ${shown([agent, ...others].map((one) => one?.key).join(', '))}. Leave --plugin out.`,
    );
  const folder = resolve(dir);
  const files = pluginOf(agent.key, packageVersion(), launch);
  const written = !dryRun && writePlugin(folder, files);
  const paths = Object.keys(files).map((path) => `${folder}${sep}${path.replaceAll('/', sep)}`);
  if (io.json) await io.out(jsonLine({ agent: agent.key, plugin: folder, files: paths, written }));
  else await io.out(paths.map((path) => `${visible(path)}\n`).join(''));
}

function scopeOf({ project }: Place): 'project' | 'user' {
  return project === null ? 'user' : 'project';
}

/** A path as people write it. */
function short(path: string, { home }: Place): string {
  const way = relative(home, path);
  return visible(way === '' || way.startsWith('..') || way === path ? path : `~${sep}${way}`);
}
