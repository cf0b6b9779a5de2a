// The second process of the scene: it opens the dead agent's session, is told what became of its commands, and stops
// the one that would run for ever. Each claim that it makes goes to the narrator.
import { isEnded, openStore } from '../../src/index.ts';
import { type LiveProcess, liveProcesses, stillAlive, treeOf } from '../support/processes.ts';
import { addressOf, ask } from './ask.ts';
import { cast, serverName, sessionId, yoursLimitMs, yoursName } from './cast.ts';
import { Claims } from './claims.ts';
import { completionTitles, showCompletion, showOutput, showTasks, showTree } from './show.ts';
import { heading, say, seconds } from './terminal.ts';

const [dir = '', diedAt = '', yours = ''] = process.argv.slice(2);
const claims = new Claims((claim) => process.send?.(claim));

heading(`Another process (pid ${process.pid}) opens the same session`);
await using store = await openStore({ dir });
const session = await store.session(sessionId);
const found = await session.tasks();
const parts = new Map(cast(yours).map((part) => [part.name, part]));
const names = found.map(({ name }) => name).sort();
claims.equal('the session has every task of the dead agent', names, [...parts.keys()].sort());
const running = found.filter(({ status }) => !isEnded(status)).length;
say(`  It adopts ${running} that run, and finds the completions of ${found.length - running} that ended.`);

const server = session.task(found.find(({ name }) => name === serverName)?.taskId ?? '');
const url = await addressOf(server);
const answer = await ask(url);
say(`  GET ${url} answers ${'code' in answer ? answer.code : `${answer.status}: ${answer.body}`}`);
claims.equal('the web server answers after the death of its agent', answer.status, 200);

say('  Completions as they arrive, in seconds after the death of the agent:');
completionTitles();
const pending = new Map(found.map(({ taskId, name }) => [taskId, name]));
let isServerStopped = false;
for await (const completion of session.completions()) {
  showCompletion(completion, Number(diedAt));
  const isFirst = await completion.ack();
  claims.that(`the completion of ${completion.name} was there to acknowledge`, isFirst);
  pending.delete(completion.taskId);
  const isAsExpected = parts.get(completion.name ?? '')?.ending?.exitCode === completion.exitCode;
  if (!isAsExpected) await showOutput(session.task(completion.taskId));
  if (completion.name === serverName && [...pending.values()].includes(yoursName)) {
    say(`  Your command still runs: waiting, at most ${yoursLimitMs / 60_000} minutes. Ctrl-C stops all.`);
  }
  const left = [...pending.values()].filter((name) => name !== yoursName);
  if (!isServerStopped && left.every((name) => name === serverName)) {
    isServerStopped = true;
    await stopServer();
  }
  if (pending.size === 0) break;
}
heading('What became of the commands');
showTasks(await session.tasks());

async function stopServer(): Promise<void> {
  heading('It stops the web server, whose child has left the process group');
  const { shimPid } = server.snapshot();
  const before = treeOf(shimPid ?? 0);
  showTree(before);
  claims.that(
    'the web server had a shim, itself, and a child, each in a group of its own',
    new Set(before.map(({ group }) => group)).size === 3 && before.length >= 3,
    before,
  );
  const startedAt = performance.now();
  // Its end comes to the loop above, like all others.
  const { status, leftovers } = await server.kill({ ack: false });
  say(`  ${status} in ${seconds(performance.now() - startedAt)}`);
  const pids = before.map(({ pid }) => pid);
  const isOurs = ({ pid, cookie }: LiveProcess): boolean =>
    pids.includes(pid) || cookie?.startsWith(server.id) === true;
  const after = liveProcesses().filter((one) => isOurs(one) && one.pid !== shimPid);
  claims.equal('nothing is left of the web server', [after, leftovers], [[], []]);
  // The shim has recorded the end, and ends itself.
  const last = await stillAlive(isOurs);
  const alive = last.length === 0 ? 'none' : last.map(({ pid }) => pid).join(', ');
  say(`  Of ${pids.join(', ')}, ${alive} is alive.`);
  claims.equal('its shim has ended, too', last, []);
  const refused = await ask(url);
  say(`  GET ${url} answers ${refused.status ?? refused.code}`);
  claims.equal('its port is closed', refused, { status: null, code: 'ECONNREFUSED' });
  say('  Its completion arrives as well:');
}
