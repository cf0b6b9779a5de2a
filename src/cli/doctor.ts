import { createInterface } from 'node:readline/promises';
import { diagnose } from '../api/doctor.ts';
import type { Finding } from '../engine/doctor/finding.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import type { CommonOptions } from './open.ts';
import { jsonLine } from './present/task.ts';
import { visible } from './present/text.ts';

interface DoctorOptions extends CommonOptions {
  readonly mend?: boolean;
}

/** `outlive doctor`: what is wrong, why it matters, and on request an end to it. 1 when a problem is left. */
export async function doctor(io: Io, _operands: readonly string[], options: DoctorOptions): Promise<number> {
  const { dir, findings } = await diagnose(options.store === undefined ? {} : { dir: options.store });
  if (!io.json) await io.out(`${visible(dir)}\n`);
  let problems = 0;
  for (const finding of findings) {
    const mended = await treat(io, finding, options);
    if (finding.level === 'problem' && mended === null) problems += 1;
  }
  return problems === 0 ? exitStatus.ok : exitStatus.notSeen;
}

/** Says what was found, and mends it if that is wanted; then what was done is returned. */
async function treat(io: Io, finding: Finding, { mend = false }: DoctorOptions): Promise<string | null> {
  const { mend: remedy, ...found } = finding;
  if (!io.json) await io.out(textOf(io, finding));
  const wanted = remedy !== null && (mend || (!io.json && (await agrees(io))));
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

/** Asks only where somebody can answer. */
async function agrees(io: Io): Promise<boolean> {
  if (!io.terminal || !process.stdin.isTTY) return false;
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await prompt.question('    Mend it now? [y/N] ')).trim());
  } finally {
    prompt.close();
  }
}
