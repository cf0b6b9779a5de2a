import type { Session } from '../../src/index.ts';
import { exitOf, spawnBare } from '../bare.ts';
import { Gate } from '../gate.ts';
import type { Ground } from '../ground.ts';
import { median, must, p95, pause, takeTurns } from '../measure.ts';
import { atMostMore, judge, type Row } from '../row.ts';

/** So that everything around the start of a command is over when it ends. */
const settleMs = 5;

/** Commands that have run for a while, beside those that end at once: a task must not become slower with age. */
const olderMs = 3_000;
const olderCount = 30;

/** Lets a command end that waits at a gate; the milliseconds until we know. */
type End = () => Promise<number>;

/** From the end of a command to its pushed completion, beside Node's own `exit` event of a bare child. */
export async function exitToPush(ground: Ground): Promise<Row[]> {
  const session = await ground.session('bench');
  const completions = session.completions();
  const startOurs = (gate: Gate): Promise<End> => startTask(session, completions, gate);
  const startBare = (gate: Gate): Promise<End> => startChild(ground, gate);

  const gate = new Gate(ground.newFile());
  const whole = async (start: (gate: Gate) => Promise<End>): Promise<number> => {
    const end = await start(gate);
    await pause(settleMs);
    return await end();
  };
  const young = await takeTurns(150, { ours: () => whole(startOurs), bare: () => whole(startBare) }, 20);
  gate.close();

  const ours: [Gate, End][] = [];
  const bare: [Gate, End][] = [];
  for (let started = 0; started < olderCount; started += 1) {
    const gates = [new Gate(ground.newFile()), new Gate(ground.newFile())] as const;
    ours.push([gates[0], await startOurs(gates[0])]);
    bare.push([gates[1], await startBare(gates[1])]);
  }
  await pause(olderMs);
  const old = await takeTurns(olderCount, { ours: () => endNext(ours), bare: () => endNext(bare) }, 0);

  await completions.return();
  return [
    row('exit of a command to its pushed completion', young),
    row(`the same, of a command that ran for ${olderMs / 1000} s`, old),
  ];
}

async function startTask(
  session: Session,
  completions: ReturnType<Session['completions']>,
  gate: Gate,
): Promise<End> {
  await session.spawn(gate.command, { shell: '/bin/sh' });
  await gate.ready();
  return async () => {
    const pushed = completions.next();
    const begin = performance.now();
    gate.open();
    const { value } = await must('a completion', pushed);
    const taken = performance.now() - begin;
    if (!(await value?.ack())) throw new Error('expected a completion to acknowledge');
    return taken;
  };
}

async function startChild(ground: Ground, gate: Gate): Promise<End> {
  const child = spawnBare('/bin/sh', gate.command, ground.newFile());
  await gate.ready();
  return async () => {
    let taken = 0;
    const begin = performance.now();
    child.once('exit', () => {
      taken = performance.now() - begin;
    });
    const exit = exitOf(child);
    gate.open();
    await must('an exit', exit);
    return taken;
  };
}

async function endNext(waiting: [Gate, End][]): Promise<number> {
  const next = waiting.shift();
  if (next === undefined) throw new Error('expected one more command to wait');
  const [gate, end] = next;
  await pause(2 * settleMs);
  const taken = await end();
  gate.close();
  return taken;
}

function row(what: string, samples: { ours: readonly number[]; bare: readonly number[] }): Row {
  const figures = {
    what,
    unit: 'ms',
    measured: median(samples.ours),
    p95: p95(samples.ours),
    beside: "bare child, Node's `exit` event",
    besideMeasured: median(samples.bare),
  };
  return judge(figures, atMostMore(0.5, 'ms'));
}
