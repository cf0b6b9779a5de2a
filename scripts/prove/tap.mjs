// What the output of Node's test runner says, in TAP.
import { readFileSync } from 'node:fs';

/** Totals, the names and compiled files of what failed, and what tests said that they measured ("figure: ..."). */
export function readTap(text) {
  const total = (name) => Number(text.match(new RegExp(`^# ${name} (\\d+)$`, 'm'))?.[1] ?? 0);
  return {
    tests: total('tests'),
    passed: total('pass'),
    skipped: total('skipped'),
    failures: [...text.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, name]) => name),
    failedFiles: [...new Set(failedSources(text).map(compiled))],
    figures: [...text.matchAll(/^ *# figure: (.*)$/gm)].map(([, figure]) => unescapeTap(figure)),
  };
}

/**
 * Those of the files that ran in which a test failed: one of their own, or one of a module that they import.
 * Null: of some test the file is not known, so no second run can say that it passes.
 */
export function filesToTryAgain({ failedFiles }, files) {
  const found = failedFiles.map((failed) =>
    files.includes(failed) ? [failed] : files.filter((file) => isImported(failed, file)),
  );
  return found.some((of) => of.length === 0) ? null : [...new Set(found.flat())];
}

function isImported(module, file) {
  return file.endsWith('.js') && readFileSync(file, 'utf8').includes(module.replace(/^build\/test/, '..'));
}

function failedSources(text) {
  return [...text.matchAll(/^ *location: '([^']*):\d+:\d+'$/gm)].map(([, source]) => source);
}

/** The compiled file of a test's source. */
function compiled(source) {
  return source.replace(/^.*\/test\//, 'build/test/').replace(/\.ts$/, '.js');
}

/**
 * The first lines of what failed: the name of each test and its error, each line of at most 300 characters. Of a program
 * that is no test the last lines that it printed.
 */
export function firstFailures(text, most = 40) {
  const lines = text.split('\n');
  const found = lines.flatMap((line, at) => (/^ *not ok \d+ - /.test(line) ? failureAt(lines, at) : []));
  const all = found.length > 0 ? found.slice(0, most) : lines.slice(-most);
  return all.map((line) => (line.length > 300 ? `${line.slice(0, 299)}…` : line));
}

/** Its name and its error. A test that failed only since one below it did says nothing of its own. */
function failureAt(lines, at) {
  const end = lines.findIndex((line, index) => index > at && /^ *\.\.\.$/.test(line));
  const told = lines.slice(at + 1, end < 0 ? undefined : end);
  if (told.some((line) => /^ *failureType: 'subtestsFailed'$/.test(line))) return [];
  const from = told.findIndex((line) => /^ *error: /.test(line));
  const length = told.slice(from + 1).findIndex((line) => /^ *(?:code|name|stack): /.test(line));
  const error = from < 0 ? [] : told.slice(from, length < 0 ? undefined : from + 1 + length);
  const plain = error.map((line) => line.replace(/^ *error: (?:\|-)?/, '').replace(/^ {4}/, ''));
  return [
    lines[at].trim(),
    ...plain.filter((line) => !/^ *(?:at .*)?$/.test(line)).map((line) => `  ${line}`),
  ];
}

function unescapeTap(text) {
  return text.replace(/\\([#\\])/g, '$1');
}
