import { exitOf, spawnBare } from './bare.ts';
import { Gate } from './gate.ts';
import type { Ground } from './ground.ts';
import { median, must, p95, pause, takeTurns } from './measure.ts';
import { judge, noLimit, type Row } from './row.ts';

const rounds = 40;

/** A command has run for so long when it ends, so that all around its start is over. */
const settleMs = 20;

/** What has been started: a command at a gate, and the news of its end that is awaited. */
interface Awaited {
  readonly known: Promise<unknown>;
}

/** Starts a command at a gate, and listens for its end. */
export type Way = (gate: Gate) => Promise<Awaited>;

/** From the end of a command to its being known to somebody, for each way that the news can take: one row each. */
export async function exitToKnown(ground: Ground, ways: readonly (readonly [what: string, way: Way])[]) {
  const gate = new Gate(ground.newFile());
  const bare: Way = async () => ({ known: exitOf(spawnBare('/bin/sh', gate.command, ground.newFile())) });
  const rows: Row[] = [];
  for (const [what, way] of ways) {
    const subjects = { ours: () => once(gate, way), bare: () => once(gate, bare) };
    const samples = await takeTurns(rounds, subjects, 5);
    const figures = {
      what: `exit of a command to ${what}`,
      unit: 'ms',
      measured: median(samples.ours),
      p95: p95(samples.ours),
      beside: "bare child, Node's `exit` event",
      besideMeasured: median(samples.bare),
    };
    rows.push(judge(figures, noLimit));
  }
  gate.close();
  return rows;
}

async function once(gate: Gate, way: Way): Promise<number> {
  const { known } = await way(gate);
  await gate.ready();
  await pause(settleMs);
  const begin = performance.now();
  gate.open();
  await must('the news', known);
  return performance.now() - begin;
}
