import type { TaskSnapshot } from '../../model/snapshot.ts';
import { lastPipeline } from '../../shim/last-command.ts';
import { oneLine } from './data.ts';

/** Characters of a part of a pipeline that are shown. */
const partChars = 60;

/** 141 is SIGPIPE in a shell's terms: the reader had enough (`yes | head`), which is how pipes work. */
const brokenPipe = 141;

/**
 * Which parts of its last pipeline failed, and of which part the exit code is, as lines that follow a task's; empty when
 * that is not known, or says nothing that the exit code does not.
 */
export function sayPipeline({ command, pipeStatus, exitCode }: TaskSnapshot): string {
  if (pipeStatus === null || pipeStatus.length < 2) return '';
  const last = pipeStatus.length - 1;
  const failed = pipeStatus
    .map((code, index) => ({ code, index }))
    .filter(({ code, index }) => code !== 0 && (code !== brokenPipe || index === last));
  // One line, where nothing but the last part has failed, is what is expected.
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
