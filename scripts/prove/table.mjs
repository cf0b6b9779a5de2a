/** Cells as a table in Markdown, its columns aligned. */
export function asMarkdownTable(heads, rows) {
  const lines = [heads, heads.map(() => '---'), ...rows];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) => `| ${line.map((cell, at) => cell.padEnd(widths[at])).join(' | ')} |`).join('\n');
}
