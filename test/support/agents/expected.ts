import assert from 'node:assert/strict';
import type { Held } from './stage.ts';

/** How outlive says that a command has ended with an exit code, in text and in JSON. */
function saysExitCode(text: string, exitCode: number): boolean {
  return new RegExp(`exit(?:ed|[ _]?code)?["']?[:\\s]*(?:with |code )*${exitCode}\\b`, 'i').test(text);
}

/** Whether a text tells the end of a held command: its name, its exit code, and what it printed. */
function tellsEnd(text: string, { name, exitCode, line }: Held): boolean {
  return text.includes(name) && saysExitCode(text, exitCode) && text.includes(line);
}

/** The end is told in one of the texts, wholly, and no other holds anything of it. */
export function assertToldOnce(texts: readonly string[], held: Held): void {
  const withLine = texts.filter((text) => text.includes(held.line));
  const shown = withLine.map((text) => `----\n${text}`).join('\n');
  assert.equal(
    withLine.length,
    1,
    `expected one text with ${held.line}, found:\n${shown || texts.join('\n----\n')}`,
  );
  assert.ok(
    tellsEnd(withLine[0] ?? '', held),
    `expected its name and exit code ${held.exitCode} as well:\n${shown}`,
  );
}

/** Nothing of the end is in the texts. */
export function assertNotTold(texts: readonly string[], { line }: Held): void {
  assert.deepEqual(
    texts.filter((text) => text.includes(line)),
    [],
  );
}

/** A list of tasks says that the command has ended, and how. */
export function assertListed(texts: readonly string[], { name, exitCode }: Held): void {
  const found = texts.some((text) => text.includes(name) && saysExitCode(text, exitCode));
  assert.ok(found, `expected ${name} with its exit code ${exitCode} in:\n${texts.join('\n')}`);
}

/** The only answer has the exit code of a command and its lines, each on a line of its own and once. */
export function assertEndsHere(answers: readonly string[], lines: readonly string[], exitCode: number): void {
  const [answer = '', ...others] = answers;
  assert.deepEqual(others, []);
  const quoted = lines.map((line) => `| ${line}`).join('\n');
  assert.equal(answer.split(quoted).length, 2, `expected once, as they are:\n${quoted}\nfound:\n${answer}`);
  assert.ok(saysExitCode(answer, exitCode), `expected the exit code ${exitCode} in:\n${answer}`);
  for (const line of lines)
    assert.equal(answer.split(line.trim()).length, 2, `expected ${line} once in:\n${answer}`);
}
