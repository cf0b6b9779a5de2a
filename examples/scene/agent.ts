// The agent of the scene: it starts commands in the background, is told of one that has ended, and is killed by the
// narrator before it can do anything about it.
import { openStore } from '../../src/index.ts';
import { addressOf, ask } from './ask.ts';
import { cast, hasHistory, root, serverName, sessionId } from './cast.ts';
import { type Column, heading, paint, paintStatus, row, say, titles } from './terminal.ts';

const [dir = '', yours = ''] = process.argv.slice(2);
// Without the narrator nobody would kill it.
process.on('disconnect', () => process.exit(1));

const columns: readonly Column[] = [
  { title: 'task', width: 9 },
  { title: 'command', width: 0 },
  { title: 'id', width: 12 },
];
heading(`An agent (pid ${process.pid}) starts commands in the background`);
const store = await openStore({ dir });
const session = await store.session(sessionId);
titles(columns);
for (const { name, command, options } of cast(yours)) {
  const task = await session.spawn(command, { ...options, name, cwd: root });
  row(columns, [name, command, task.id], (cell, column) => (column === 2 ? paint('dim', cell) : cell));
  // The server comes first and has to be up before the rest starts, so that the rest is young when the agent dies.
  if (name === serverName) {
    const url = await addressOf(task);
    const answer = await ask(url);
    say(`  GET ${url} answers ${answer.status ?? answer.code}`);
  }
}
if (!hasHistory()) say('  There is no git history here, so the agent counts files instead.');

for await (const { name, status, exitCode } of session.completions()) {
  say(`  The agent is told: ${name} ${paintStatus(status)}, exit ${exitCode}.`);
  say('  It dies before it acknowledges that.');
  process.send?.('ready');
  break;
}
