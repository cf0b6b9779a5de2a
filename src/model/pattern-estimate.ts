/** Classes such as `\p{L}` have hundreds of ranges, which all are looked up when the pattern is compiled. */
const namedClassWeight = 10;

/** The repeat operator after the part that it repeats. */
const repeat = /\{(\d+)(,?)(\d*)\}/y;

/** What stands in a group, as far as it was read. */
interface Group {
  sum: number;
  last: number;
}

/**
 * About how many instructions a regular expression comes to, before it is compiled: a repeat is written out, and a few
 * characters can repeat each other a million times. One pass, whatever it is handed.
 */
export function estimatedInstructions(regexp: string): number {
  const outer: Group[] = [];
  let group: Group = { sum: 0, last: 0 };
  const add = (size: number): void => {
    group.sum += size;
    group.last = size;
  };
  for (let at = 0; at < regexp.length; ) {
    const begin = at;
    const character = regexp[at];
    const times = character === '{' ? repeatAt(regexp, at) : null;
    if (times !== null) {
      group.sum += group.last * (times - 1);
      group.last *= times;
      at = repeat.lastIndex;
    } else if (character === '(') {
      at = behindOpening(regexp, at);
      // Flags alone, as in (?i), open nothing.
      if (regexp[at - 1] === ')') continue;
      outer.push(group);
      group = { sum: 0, last: 0 };
    } else if (character === ')') {
      at += 1;
      const { sum } = group;
      group = outer.pop() ?? group;
      add(sum + 2);
    } else if (regexp.startsWith('\\Q', at)) {
      const end = regexp.indexOf('\\E', at);
      at = end < 0 ? regexp.length : end + 2;
      add(at - begin);
    } else {
      at = character === '[' ? behindClass(regexp, at) : behindCharacter(regexp, at);
      add(weightOf(regexp.slice(begin, at)));
    }
  }
  return outer.reduce((sum, { sum: before }) => sum + before, group.sum);
}

function repeatAt(regexp: string, at: number): number | null {
  repeat.lastIndex = at;
  const found = repeat.exec(regexp);
  if (found === null) return null;
  const [, least, comma, most] = found;
  return Math.max(1, Number(most), Number(least) + (comma === '' ? 0 : 1));
}

/** Behind `(`, `(?:`, `(?i:`, `(?<name>` or `(?i)`. */
function behindOpening(regexp: string, at: number): number {
  let end = at + 1;
  if (regexp[end] !== '?') return end;
  while (end < regexp.length && !':)>=!'.includes(regexp[end] ?? '')) end += 1;
  return end + 1;
}

/** Behind a class: of characters, of escapes, and of names such as `[:alpha:]`. */
function behindClass(regexp: string, at: number): number {
  let end = regexp[at + 1] === '^' ? at + 2 : at + 1;
  if (regexp[end] === ']') end += 1;
  while (end < regexp.length && regexp[end] !== ']') {
    const isName = regexp.startsWith('[:', end);
    if (regexp[end] === '\\') end = behindCharacter(regexp, end);
    else if (isName && regexp.includes(':]', end)) end = regexp.indexOf(':]', end) + 2;
    else end += 1;
  }
  return end + 1;
}

/** Behind a character, or an escape with what belongs to it. */
function behindCharacter(regexp: string, at: number): number {
  if (regexp[at] !== '\\') return at + 1;
  const named = /[pPxu]/.test(regexp[at + 1] ?? '');
  if (named && regexp[at + 2] === '{') {
    const end = regexp.indexOf('}', at);
    return end < 0 ? regexp.length : end + 1;
  }
  return at + 2;
}

function weightOf(text: string): number {
  return 1 + (namedClassWeight - 1) * (text.match(/\\[pP]/g)?.length ?? 0);
}
