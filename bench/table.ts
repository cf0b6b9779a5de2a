import { cpus, release } from 'node:os';
import { figure, type Row } from './row.ts';

const heads = ['what', 'limit', 'median', 'p95', 'beside it', 'its median', 'compared', 'limit met'];

/** The rows as a table in Markdown, columns aligned, with its notes and where it was measured. */
export function asTable(rows: readonly Row[]): string {
  const notes = rows.filter((row) => row.note !== '').map((row) => `${row.what}: ${row.note}.`);
  const table = markdownTable(heads, rows.map(cells));
  return [where(), '', table, ...(notes.length > 0 ? ['', ...notes.map((note) => `- ${note}`)] : [])].join(
    '\n',
  );
}

/** Cells as a table in Markdown, its columns aligned. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) => `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`)
    .join('\n');
}

function cells(row: Row): string[] {
  const value = (number: number | null): string => (number === null ? '' : `${figure(number)} ${row.unit}`);
  const met = { true: 'yes', false: '**no**', null: '' }[String(row.met) as 'true' | 'false' | 'null'];
  const p95 = row.p95 === null ? '' : value(row.p95);
  return [
    row.what,
    row.limit,
    value(row.measured),
    p95,
    row.beside,
    value(row.besideMeasured),
    row.compared,
    met,
  ];
}

/** On what, and when. */
export function where(): string {
  const [cpu, ...others] = cpus();
  const system = `${process.platform} ${release().split('.').slice(0, 2).join('.')}`;
  const date = new Date().toISOString().slice(0, 10);
  return `Measured ${date} on ${others.length + 1} cores (${cpu?.model.trim()}), ${system}, Node ${process.versions.node}.`;
}
