import { parse, stringify, TomlError } from 'smol-toml';
import { type Format, isSame, isTable, type Piece, unusable, valueAt } from './piece.ts';

const beginsSection = /^\s*\[/;

/** TOML: a piece is a table of its own at the end of the file. */
export const tomlFormat: Format = {
  stateOf(text, { path, value }, file) {
    const data = tomlFormat.dataOf(text, file);
    const ways = path.slice(0, -1).map((_, index) => path.slice(0, index + 1));
    for (const way of ways) {
      const found = valueAt(data, way);
      if (found !== undefined && !isTable(found))
        throw unusable(file, `a table [${way.join('.')}]`, 'another value', 'Mend the file, and call again.');
    }
    const found = valueAt(data, path);
    if (found === undefined) return 'absent';
    return isSame(found, value) ? 'same' : 'other';
  },

  insert(text, { path, value }, file) {
    const eol = /\r?\n/.exec(text)?.[0] ?? '\n';
    const nested = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
    const table = `${stringify(nested as Record<string, unknown>).trim()}\n`.replaceAll('\n', eol);
    const lead = text === '' || text.endsWith('\n') ? '' : eol;
    const insertion = { at: text.length, text: `${lead}${text.trim() === '' ? '' : eol}${table}` };
    // A table that is written in one line, or by dotted names, takes no further section.
    if (parsed(text + insertion.text) instanceof TomlError)
      throw unusable(
        file,
        `[${path.slice(0, -1).join('.')}] to take the section [${path.join('.')}]`,
        'a table in one line, or dotted names',
        'Write it as sections, or add outlive by hand.',
      );
    return [insertion];
  },

  remove(text, { path }) {
    const lines = text.split(/(?<=\n)/);
    // A line of a text that has several may look like the head of a section: what is before it is no TOML then.
    const isHead = (at: number): boolean =>
      beginsSection.test(lines[at] ?? '') && !(parsed(lines.slice(0, at).join('')) instanceof TomlError);
    const isOurs = (at: number): boolean => isSectionAt(lines[at] ?? '', path) && isHead(at);
    const kept: string[] = [];
    for (let at = 0; at < lines.length; at += 1) {
      if (!isOurs(at)) {
        kept.push(lines[at] ?? '');
        continue;
      }
      let end = at + 1;
      while (end < lines.length && (!isHead(end) || isOurs(end))) end += 1;
      // What is said last may be said of the next section.
      if (end < lines.length) while (/^\s*(?:#|$)/.test(lines[end - 1] ?? '')) end -= 1;
      if (kept.at(-1)?.trim() === '') kept.pop();
      at = end - 1;
    }
    return kept.join('');
  },

  dataOf(text, file) {
    const data = parsed(text);
    if (!(data instanceof TomlError)) return data;
    const found = `${(data.message.split('\n')[0] ?? '').replace('Invalid TOML document: ', '')} at line ${data.line}, column ${data.column}`;
    throw unusable(file, 'TOML', found, 'Mend the file, and call again.');
  },
};

function parsed(text: string): Record<string, unknown> | TomlError {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' });
  } catch (error) {
    if (error instanceof TomlError) return error;
    throw error;
  }
}

/** Whether a line is the head of that section, or of one within it. */
function isSectionAt(line: string, path: Piece['path']): boolean {
  if (!beginsSection.test(line)) return false;
  const data = parsed(line.trim());
  return !(data instanceof TomlError) && valueAt(data, path) !== undefined;
}
