import { diagnose } from '../doctor/doctor.ts';
import type { DiagnoseProgress } from '../doctor/doctor-tasks.ts';
import type { Finding } from '../doctor/finding.ts';
import { visible } from '../util/visible.ts';
import { monotonicMs } from '../util/wait.ts';
import { agrees, canAsk } from './ask.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import type { CommonOptions } from './open.ts';
import { jsonLine } from './present/task.ts';

interface DoctorOptions extends CommonOptions {
  readonly mend?: boolean;
}

/** `outlive doctor`: what is wrong, why it matters, and on request an end to it. 1 when a problem is left. */
export async function doctor(io: Io, _operands: readonly string[], options: DoctorOptions): Promise<number> {
  const progress = new ProgressLine(io);
  const { dir, findings } = await diagnose({
    ...(options.store !== undefined && { dir: options.store }),
    onProgress: (done) => progress.show(done),
  });
  await progress.clear();
  if (!io.json) await io.out(`${visible(dir)}\n`);
  let problems = 0;
  for (const finding of findings) {
    const mended = await treat(io, finding, options);
    if (finding.level === 'problem' && mended === null) problems += 1;
  }
  return problems === 0 ? exitStatus.ok : exitStatus.notSeen;
}

/** Before that, in milliseconds, nobody asks how far it is. */
const quietMs = 500;

/** One line on a terminal, written over again and again, which is gone when the findings come. */
class ProgressLine {
  readonly #io: Io;
  readonly #isShown = process.stderr.isTTY === true;
  #next = monotonicMs() + quietMs;
  #line = '';

  constructor(io: Io) {
    this.#io = io;
  }

  show({ sessions, ofSessions, tasks }: DiagnoseProgress): void {
    if (!this.#isShown || monotonicMs() < this.#next) return;
    this.#next = monotonicMs() + quietMs / 5;
    this.#line = `checked ${sessions} of ${ofSessions} sessions, ${tasks} tasks`;
    void this.#io.err(`\r${this.#line}`);
  }

  async clear(): Promise<void> {
    if (this.#line !== '') await this.#io.err(`\r${' '.repeat(this.#line.length)}\r`);
  }
}

/** Says what was found, and mends it if that is wanted; then what was done is returned. */
async function treat(io: Io, finding: Finding, { mend = false }: DoctorOptions): Promise<string | null> {
  const { mend: remedy, ...found } = finding;
  if (!io.json) await io.out(textOf(io, finding));
  const wanted = remedy !== null && (mend || (canAsk(io) && (await agrees('    Mend it now?'))));
  const mended = wanted ? await remedy() : null;
  if (io.json) await io.out(jsonLine({ ...found, canMend: remedy !== null, mended }));
  else if (mended !== null) await io.out(`    ${io.colours.green('mended')}: ${visible(mended)}\n`);
  return mended;
}

function textOf(io: Io, { level, check, message, advice, mend }: Finding): string {
  const { green, yellow, red, dim } = io.colours;
  const sign = { ok: green('ok     '), warning: yellow('warning'), problem: red('problem') }[level];
  const hint = mend === null ? '' : dim(` (${io.hint('doctor', '--mend')} does it)`);
  const lines = [`${sign}  ${check}: ${visible(message)}`];
  if (advice !== null) lines.push(`    ${visible(advice)}${hint}`);
  return lines.map((line) => `${line}\n`).join('');
}
