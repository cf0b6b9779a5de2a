import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { sessionPaths } from '../../../src/tasklog/paths.ts';
import { CommandLine } from '../../support/command-line.ts';
import { factsOf } from '../../support/logs.ts';

/** A title, a cleared screen, a C1 escape, a bell, an override of direction, a line of its own, a fake end. */
const evil = 'a\x1b]0;title\x07\x1b[2J\x9b31mb\u202Ecba\u2066\u200f\r\nbgb-000000000000 completed\x1b';

/** All that does not show as itself, but for line breaks, and tabs between columns. */
const harmful = /[^\P{Cc}\n\t]|\p{Cf}|\p{Zl}|\p{Zp}/u;

test('every verb prints a record full of hostile text without harm, and also hostile ids and names of callers', async () => {
  await using cli = new CommandLine();
  const session = `default${evil}`;
  const opened = await cli.session(session);
  const { task } = await opened.run(`echo; exit 3 # ${evil}`, { name: 'a name', labels: { k: evil } });
  await opened.close();
  const log = cli.logOf(task.id);
  // As a program might do that writes into its own log: every text of every fact, the ids and words excepted that
  // would make it another task's.
  const kept = new Set(['fact', 'taskId', 'cookie', 'boot', 'pidNamespace', 'host', 'status']);
  const forge = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') return kept.has(key) ? value : `${evil}${value}`;
    if (Array.isArray(value)) return value.map((item) => forge(item, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, forge(item, name)]));
  };
  const facts = factsOf(log).map((fact) => {
    if (fact.fact === 'delivered') return { fact: 'unclaim', id: evil };
    if (fact.fact !== 'outcome') return fact.fact === 'spec' ? { ...fact, name: evil } : fact;
    return {
      ...fact,
      reason: evil,
      exitSignal: evil,
      leftovers: [{ pid: 4_000_000, command: evil, start: 1 }],
    };
  });
  const stop = { fact: 'stop', cause: evil, id: 'x', by: null, at: 1, graceMs: 1, killSignal: evil };
  const lines = [...facts.slice(0, 2), stop, ...facts.slice(2)].map((fact) => forge(fact, ''));
  writeFileSync(log, lines.map((fact) => `\n${JSON.stringify(fact)}\n`).join(''));
  const answers = [
    await cli.run('ps', '-a', '--all-sessions'),
    await cli.run('ps', '-a', '--session', session),
    await cli.run('ps', '--session', evil),
    await cli.run('show', '--session', session, task.id),
    await cli.run('show', '--facts', task.id),
    await cli.run('wait', '--session', session, task.id),
    await cli.run('completions', '--session', session),
    await cli.run('kill', '--session', session, task.id),
    await cli.run('show', evil),
    await cli.run('run', '--cwd', `/nowhere${evil}`, '--', 'true'),
    await cli.run('run', '--session', evil, '--name', evil, '--wait', '--', `true # ${evil}`),
    await cli.run(evil),
    await cli.run('ps', `--${evil}`),
    await cli.run('doctor'),
    await cli.run('ps', '-a', '--all-sessions', '--json'),
    await cli.run('show', task.id, '--json'),
    await cli.run('show', task.id, '--facts', '--json'),
  ];
  const found = answers.flatMap(({ stdout, stderr }, index) =>
    [stdout, stderr].flatMap((text) => {
      const at = text.search(harmful);
      return at < 0 ? [] : [`${index}: ${JSON.stringify(text.slice(Math.max(0, at - 60), at + 60))}`];
    }),
  );
  assert.deepEqual(found, []);
  assert.equal(JSON.parse(answers.at(-2)?.stdout ?? '').name, `${evil}${evil}`);
  assert.ok(answers[0]?.stdout.includes(task.id) && answers[3]?.stdout.includes('\\e]0;title'));
  rmSync(join(dirname(sessionPaths(cli.dir, evil).dir)), { recursive: true, force: true });
});
