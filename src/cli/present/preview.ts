import { plainText } from '../../model/plain-text.ts';
import { invisible } from '../../util/visible.ts';

/** The end of a task's output as lines that do no harm; empty ones at both ends are left out. */
export function previewLines(text: string): string[] {
  const plain = plainText(text)
    .trimEnd()
    .replace(/^(?:[^\S\n]*\n)+/, '');
  return plain === ''
    ? []
    : plain.split('\n').map((line) => line.replace(/\t/g, '    ').replace(invisible, ''));
}
