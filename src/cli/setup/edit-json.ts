import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { type Format, type Insertion, isSame, missingOf, unusable, valueAt } from './piece.ts';
import { placeIn } from './place-in.ts';

/** JSON as agents read it, with comments and trailing commas where they allow them. */
export const jsonFormat: Format = {
  stateOf(text, { path, value, isElement = false, alike }, file) {
    const data = jsonFormat.dataOf(text, file);
    checkWay(text, path, isElement, file);
    const found = valueAt(data, path);
    if (isElement) {
      const elements: unknown[] = Array.isArray(found) ? found : [];
      if (elements.some((one) => isSame(one, value))) return 'same';
      return elements.some((one) => alike?.test(JSON.stringify(one))) ? 'other' : 'absent';
    }
    if (found === undefined) return 'absent';
    return isSame(found, value) ? 'same' : 'other';
  },

  insert(text, { path, value, isElement = false }, file) {
    checkWay(text, path, isElement, file);
    const root = rootOf(text, file);
    const made = isElement ? [value] : value;
    if (root === null) {
      const whole = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), made);
      const eol = lineEndOf(text);
      const before = text === '' || text.endsWith('\n') ? '' : eol;
      return [{ at: text.length, text: `${before}${rendered(whole, unitOf(text), eol)}${eol}` }];
    }
    const missing = missingOf(dataIn(root), path);
    const parent = path.slice(0, path.length - missing.length);
    const container = nodeAt(root, parent);
    if (container === undefined) throw new Error(`expected a node at ${parent.join('.')}`);
    if (missing.length === 0) return insertChild(text, container, null, value);
    const [name = '', ...rest] = path.slice(parent.length);
    return insertChild(
      text,
      container,
      name,
      rest.reduceRight<unknown>((inner, key) => ({ [key]: inner }), made),
    );
  },

  remove(text, { path, value, isElement = false }, made, file) {
    const root = rootOf(text, file);
    const node = root === null ? undefined : nodeAt(root, path);
    const element = node?.children?.find((child) => isSame(dataIn(child), value));
    const child = isElement ? element : node?.parent;
    let left = child === undefined ? text : withoutChild(text, child);
    for (const way of [...made].sort((a, b) => b.length - a.length)) {
      const tree = rootOf(left, file);
      const empty = tree === null ? undefined : nodeAt(tree, way);
      if (empty?.parent !== undefined && empty.children?.length === 0 && !hasComment(left, empty))
        left = withoutChild(left, empty.parent);
    }
    return left;
  },

  dataOf(text, file) {
    const root = rootOf(text, file);
    return root === null ? undefined : dataIn(root);
  },
};

/** Levels of lists and objects within each other. What reads them calls itself for each. */
const mostLevels = 500;

/** The top of the file, which is an object; null when there is nothing in it but blanks and comments. */
function rootOf(text: string, file: string): Node | null {
  checkLevels(text, file);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
  const [error] = errors;
  if (error !== undefined) {
    const found = `${printParseErrorCode(error.error)} at ${placeIn(text, error.offset)}`;
    throw unusable(file, 'JSON', found, 'Mend the file, and call again.');
  }
  if (root === undefined) return null;
  if (root.type !== 'object')
    throw unusable(
      file,
      'an object at the top',
      `a value of type ${root.type}`,
      'Mend the file, and call again.',
    );
  return root;
}

/** What a node says. A member may be called `__proto__`, so objects have no prototype. */
function dataIn(node: Node): unknown {
  if (node.type === 'array') return node.children?.map(dataIn) ?? [];
  if (node.type !== 'object') return node.value;
  const data: Record<string, unknown> = Object.create(null);
  for (const { children: [key, value] = [] } of node.children ?? [])
    if (value !== undefined) data[String(key?.value)] = dataIn(value);
  return data;
}

/** A name that is there twice, or something else than an object on the way, is nothing to write into. */
function checkWay(text: string, path: readonly string[], isElement: boolean, file: string): void {
  let node: Node | null = rootOf(text, file);
  for (const [index, name] of path.entries()) {
    const found: Node[] = membersOf(node, name);
    const way = JSON.stringify(path.slice(0, index + 1).join('.'));
    if (found.length > 1)
      throw unusable(file, `${way} once`, `it ${found.length} times`, 'Leave one of them, and call again.');
    const value: Node | undefined = found[0]?.children?.[1];
    if (value === undefined) return;
    const isLast = index === path.length - 1;
    const wanted = !isLast ? 'object' : isElement ? 'array' : null;
    if (wanted !== null && value.type !== wanted)
      throw unusable(
        file,
        `an ${wanted} at ${way}`,
        `a value of type ${value.type}`,
        'Mend the file, and call again.',
      );
    node = value;
  }
}

function membersOf(node: Node | null, name: string): Node[] {
  const members = node?.type === 'object' ? (node.children ?? []) : [];
  return members.filter(({ children }) => children?.[0]?.value === name);
}

function nodeAt(root: Node, path: readonly string[]): Node | undefined {
  return path.reduce<Node | undefined>((at, name) => membersOf(at ?? null, name)[0]?.children?.[1], root);
}

/** Puts a child after the last one, and after the comment on that one. */
function insertChild(
  text: string,
  container: Node,
  key: string | null,
  value: unknown,
): readonly Insertion[] {
  const close = container.offset + container.length - 1;
  const last = container.children?.at(-1);
  const eol = lineEndOf(text);
  const at = close - (/\s*$/.exec(text.slice(container.offset + 1, close))?.[0].length ?? 0);
  const comma = last === undefined ? null : commaAfter(text, last.offset + last.length, close);
  const isInline = last !== undefined && !text.slice(container.offset, close).includes('\n');
  const name = key === null ? '' : `${JSON.stringify(key)}: `;
  const tail = comma === null ? '' : ',';
  const child = isInline
    ? ` ${name}${rendered(value, null, eol)}${tail}`
    : ownLine(text, container, `${name}${rendered(value, unitOf(text), eol)}${tail}`);
  const end =
    isInline || text.slice(at, close).includes('\n') ? '' : `${eol}${indentAt(text, container.offset)}`;
  const insertion = { at, text: `${child}${end}` };
  if (last === undefined || comma !== null) return [insertion];
  return [insertion, { at: last.offset + last.length, text: ',' }];
}

function ownLine(text: string, container: Node, child: string): string {
  const eol = lineEndOf(text);
  const first = container.children?.[0];
  const outer = indentAt(text, container.offset);
  const beside = first === undefined ? null : indentAt(text, first.offset);
  const indent = beside !== null && beside.length > outer.length ? beside : outer + unitOf(text);
  return `${eol}${indent}${child.replaceAll(eol, `${eol}${indent}`)}`;
}

/** @param unit the indentation of one level; null: on one line. */
function rendered(value: unknown, unit: string | null, eol: string): string {
  // A line break within a text is written as \n in JSON, so those that are there are between values.
  const lines = JSON.stringify(value, null, unit ?? ' ');
  if (unit === null) return lines.replaceAll(/\n\s*/g, ' ');
  const short = lines.replaceAll(listOfTexts, (_, texts: string) => `[${texts.replaceAll(/,\n\s+/g, ', ')}]`);
  return short.replaceAll('\n', eol);
}

/** An array of texts, which people write on one line. */
const listOfTexts = /\[\n\s+("(?:[^"\\]|\\.)*"(?:,\n\s+"(?:[^"\\]|\\.)*")*)\n\s*\]/g;

function withoutChild(text: string, child: Node): string {
  const siblings = child.parent?.children ?? [];
  const open = (child.parent?.offset ?? 0) + 1;
  const before = siblings[siblings.indexOf(child) - 1];
  const end = child.offset + child.length;
  const close = (child.parent?.offset ?? 0) + (child.parent?.length ?? 0) - 1;
  const after = commaAfter(text, end, close);
  const isAlone = text.slice(open, child.offset).trim() === '' && text.slice(end, close).trim() === '';
  if (isAlone) return text.slice(0, open) + text.slice(close);
  const comma =
    after ?? (before === undefined ? null : commaAfter(text, before.offset + before.length, close));
  const isBeside = after !== null && text.slice(end, after).trim() === '';
  const [from, to] = wholeLines(text, child.offset, isBeside ? after + 1 : end);
  const left = text.slice(0, from) + text.slice(to);
  if (comma === null || isBeside) return left;
  const place = comma < from ? comma : comma - (to - from);
  return left.slice(0, place) + left.slice(place + 1);
}

/** The same stretch with the blanks after it, and with its lines when nothing else is on them. */
function wholeLines(text: string, from: number, to: number): [number, number] {
  const indent = /[ \t]*$/.exec(text.slice(0, from))?.[0].length ?? 0;
  const blanks = /^[ \t]*/.exec(text.slice(to))?.[0].length ?? 0;
  const lineBreak = /\r?\n$/.exec(text.slice(0, from - indent))?.[0].length ?? 0;
  const isWhole = lineBreak > 0 && /^(?:\r?\n|$)/.test(text.slice(to + blanks));
  return isWhole ? [from - indent - lineBreak, to + blanks] : [from, to + blanks];
}

function hasComment(text: string, { offset, length }: Node): boolean {
  return text.slice(offset + 1, offset + length - 1).trim() !== '';
}

/** @throws OutliveError `CONFIG_UNUSABLE` for a file that is nested deeper than what reads it has room for. */
function checkLevels(text: string, file: string): void {
  const scanner = createScanner(text, true);
  let levels = 0;
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    const begin = text[scanner.getTokenOffset()];
    if (begin === '{' || begin === '[') levels += 1;
    else if (begin === '}' || begin === ']') levels -= 1;
    if (levels <= mostLevels) continue;
    const found = `more at ${placeIn(text, scanner.getTokenOffset())}`;
    throw unusable(file, `at most ${mostLevels} levels of lists and objects`, found, 'Change it by hand.');
  }
}

/** Where the comma stands that follows, with nothing but blanks and comments before it. */
function commaAfter(text: string, from: number, close: number): number | null {
  const scanner = createScanner(text, true);
  scanner.setPosition(from);
  scanner.scan();
  const at = scanner.getTokenOffset();
  return at < close && text[at] === ',' ? at : null;
}

function indentAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

/** The indentation of one level: that of the first line that has one. */
function unitOf(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
}

function lineEndOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}
