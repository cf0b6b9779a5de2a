import { structuredPatch } from 'diff';
import { visible } from '../../util/visible.ts';
import type { Io } from '../io.ts';

/** How many lines around a change a person sees. */
const around = 2;

/**
 * The lines that change, as `diff -u` shows them. Where no person looks, lines of others are left out, also those that get or lose a
 * comma: they may hold keys, and what is printed is kept in logs and in the histories of agents.
 */
export function shownDiff(
  before: string,
  after: string,
  io: Pick<Io, 'terminal' | 'json' | 'colours'>,
): string {
  const isSeen = io.terminal && !io.json;
  const context = isSeen ? around : 0;
  const { hunks } = structuredPatch('', '', asLines(before), asLines(after), undefined, undefined, {
    context,
  });
  return hunks
    .map(({ oldStart, oldLines, newStart, newLines, lines }) => {
      const head = `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`;
      const kept = isSeen ? lines : withoutCommas(lines);
      return kept.length === 0 ? '' : [head, ...kept].map((line) => `${painted(line, io)}\n`).join('');
    })
    .join('');
}

function asLines(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

/** Without the pairs of lines that differ by a comma alone. */
function withoutCommas(lines: readonly string[]): string[] {
  // A comment may follow the comma.
  const bare = (line: string): string => line.slice(1).replaceAll(',', '');
  const signed = (sign: string): Set<string> =>
    new Set(lines.filter((line) => line.startsWith(sign)).map(bare));
  const [gone, come] = [signed('-'), signed('+')];
  return lines.filter(
    (line) => line !== '\\ No newline at end of file' && !(gone.has(bare(line)) && come.has(bare(line))),
  );
}

function painted(line: string, { colours }: Pick<Io, 'colours'>): string {
  const text = visible(line.replaceAll('\t', '    '));
  if (line.startsWith('+')) return colours.green(text);
  if (line.startsWith('-')) return colours.red(text);
  return colours.dim(text);
}
