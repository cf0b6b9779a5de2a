import type { Session } from '../../src/index.ts';
import { Gate } from '../gate.ts';
import type { Ground } from '../ground.ts';
import { median, must, p95, pause, takeTurns, timed } from '../measure.ts';
import { findReference, Reference, referenceName } from '../reference.ts';
import { judge, type Limit, noLimit, type Row, timesFaster } from '../row.ts';

/** The reference looks at its tasks at every tick of so many milliseconds. */
const tickMs = 500;
const burst = 200;

/** The library and the reference system, in turns. Where it cannot be had, its columns say so. */
export async function againstReference(ground: Ground): Promise<Row[]> {
  const found = await findReference().catch((error: Error) => error);
  const reference =
    found instanceof Error ? found : await Reference.start(found, ground.newFolder(), ground.newFolder());
  const session = await ground.session('bench', { maxRunning: 2 * burst });
  try {
    return [
      await exitToPush(ground, session, reference),
      await spawnReply(session, reference),
      await manyAtOnce(session, reference),
    ];
  } finally {
    if (reference instanceof Reference) await reference.stop();
  }
}

async function exitToPush(ground: Ground, session: Session, reference: Reference | Error): Promise<Row> {
  const gate = new Gate(ground.newFile());
  const completions = session.completions();
  let phase = 0;
  // Every phase of the tick comes, so that its luck does not decide.
  const untilOpen = async (): Promise<number> => {
    await gate.ready();
    phase = (phase + tickMs * 0.382) % tickMs;
    await pause(5 + phase);
    const begin = performance.now();
    gate.open();
    return begin;
  };
  const ours = async (): Promise<number> => {
    await session.spawn(gate.command, { shell: '/bin/sh' });
    const pushed = completions.next();
    const begin = await untilOpen();
    const { value } = await must('a completion', pushed);
    const taken = performance.now() - begin;
    await value?.ack();
    return taken;
  };
  const theirs = async (other: Reference): Promise<number> => {
    const taskId = await other.spawn(gate.command);
    const pushed = other.completion(taskId);
    const begin = await untilOpen();
    await pushed;
    return performance.now() - begin;
  };
  const figures = await beside(14, ours, reference, theirs);
  await completions.return();
  gate.close();
  return row('exit of a command to its pushed completion', 'ms', timesFaster(100), figures);
}

async function spawnReply(session: Session, reference: Reference | Error): Promise<Row> {
  const ours = async (): Promise<number> => {
    const begin = performance.now();
    const task = await session.spawn('true');
    const taken = performance.now() - begin;
    await task.wait();
    return taken;
  };
  const theirs = async (other: Reference): Promise<number> => {
    const begin = performance.now();
    const taskId = await other.spawn('true');
    const taken = performance.now() - begin;
    await other.completion(taskId);
    return taken;
  };
  const figures = await beside(12, ours, reference, theirs);
  return row('spawn of one task, answered', 'ms', noLimit, figures);
}

async function manyAtOnce(session: Session, reference: Reference | Error): Promise<Row> {
  const ours = (): Promise<number> =>
    timed(async () => {
      const left = new Set<string>();
      const completions = session.completions();
      const tasks = Array.from({ length: burst }, () => session.spawn('true'));
      for (const task of await Promise.all(tasks)) left.add(task.id);
      for await (const completion of completions) {
        await completion.ack();
        left.delete(completion.taskId);
        if (left.size === 0) break;
      }
    });
  const theirs = (other: Reference): Promise<number> =>
    timed(() =>
      Promise.all(
        Array.from({ length: burst }, async () => await other.completion(await other.spawn('true'))),
      ),
    );
  const figures = await beside(2, ours, reference, theirs);
  return row(`${burst} x \`true\` at once, until all are pushed`, 'ms', noLimit, figures);
}

interface BothFigures {
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  readonly note: string;
}

async function beside(
  rounds: number,
  ours: () => Promise<number>,
  reference: Reference | Error,
  theirs: (other: Reference) => Promise<number>,
): Promise<BothFigures> {
  if (reference instanceof Error) {
    const samples = await takeTurns(rounds, { ours }, 1);
    return { ours: samples.ours, theirs: [], note: `no reference: ${reference.message}` };
  }
  const samples = await takeTurns(rounds, { ours, theirs: () => theirs(reference) }, 1);
  return { ...samples, note: '' };
}

function row(what: string, unit: string, limit: Limit, { ours, theirs, note }: BothFigures): Row {
  const figures = {
    what,
    unit,
    measured: median(ours),
    p95: p95(ours),
    beside: referenceName,
    besideMeasured: theirs.length === 0 ? null : median(theirs),
    note,
  };
  return judge(figures, limit);
}
