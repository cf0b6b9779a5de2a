import type { TaskSnapshot } from '../../model/snapshot.ts';
import { lastPipeline } from '../../shim/last-command.ts';
import { oneLine } from './data.ts';

/** Characters of a part of a pipeline that are shown. */
const partChars = 60;

/** 141 is a shell's code for SIGPIPE: the reader has stopped reading (`yes | head`), which is normal. */
const brokenPipe = 141;

/**
 * Lines that follow a task's: which parts of its last pipeline failed, and which part the exit code is from. Empty if
 * that is not known, or says no more than the exit code.
 */
export function sayPipeline({ command, pipeStatus, exitCode }: TaskSnapshot): string {
  if (pipeStatus === null || pipeStatus.length < 2) return '';
  const last = pipeStatus.length - 1;
  const failed = pipeStatus
    .map((code, index) => ({ code, index }))
    .filter(({ code, index }) => code !== 0 && (code !== brokenPipe || index === last));
  // If only the last part failed, the exit code says it all.
  if (failed.length === 0 || failed.every(({ index }) => index === last)) return '';
  const parts = lastPipeline(command);
  const known = parts.length === pipeStatus.length;
  const name = (index: number): string =>
    known ? `\`${oneLine(parts[index] ?? '', partChars)}\`` : `part ${index + 1}`;
  const said = failed.map(
    ({ code, index }) => `${name(index)} (${index + 1} of ${pipeStatus.length}) exited ${code}`,
  );
  const whose = exitCode === pipeStatus[last] ? `; the code is that of ${name(last)}` : '';
  return `\n${said.join(', ')}${whose}.`;
}
