import { readFileSync, writeFileSync } from 'node:fs';

/** Cells as a table in Markdown, its columns aligned. */
export function asMarkdownTable(heads, rows) {
  const lines = [heads, heads.map(() => '---'), ...rows];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) => `| ${line.map((cell, at) => cell.padEnd(widths[at])).join(' | ')} |`).join('\n');
}

/** Writes what is between two marks of a page anew. */
export function replaceBetween(path, [begin, end], inside) {
  const text = readFileSync(path, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`expected ${begin} and ${end} in ${path}`);
  writeFileSync(path, `${text.slice(0, from + begin.length)}\n\n${inside}\n\n${text.slice(to)}`);
}
