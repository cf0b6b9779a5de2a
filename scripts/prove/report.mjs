// The table of a run, on the terminal and in docs/reliability.md. What was measured is kept in docs/figures/prove.json,
// by part, so that a run of one part writes its own line anew and leaves the others.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { asMarkdownTable, replaceBetween } from './table.mjs';

const page = 'docs/reliability.md';
const figuresFolder = 'docs/figures';
const data = `${figuresFolder}/prove.json`;
const marks = ['<!-- prove:begin -->', '<!-- prove:end -->'];
const heads = ['part', 'what', 'seconds', 'passed', 'seed', 'run on'];

/** The table of some results. */
export function resultTable(results) {
  return asMarkdownTable(heads, results.map(cells));
}

/** Puts results into the data and the page. `order` is the names of all parts, in their order. */
export function writeReport(results, order) {
  const known = existsSync(data) ? JSON.parse(readFileSync(data, 'utf8')) : {};
  for (const { output: _, ...result } of results) known[result.name] = result;
  const kept = order.flatMap((name) => (known[name] ? [known[name]] : []));
  mkdirSync(figuresFolder, { recursive: true });
  writeFileSync(data, `${JSON.stringify(Object.fromEntries(kept.map((row) => [row.name, row])), null, 2)}\n`);
  const figures = kept.flatMap(({ name, figures }) => figures.map((figure) => `- ${name}: ${figure}`));
  const failures = kept.flatMap(({ name, failures }) =>
    failures.map((one) => `- **failed** in ${name}: ${one}`),
  );
  const again = kept.flatMap(({ name, again }) =>
    again.map((file) => `- ${name}: ${file} failed at first, and passed by itself`),
  );
  const parts = [resultTable(kept), failures.join('\n'), again.join('\n'), figures.join('\n')].filter(
    (part) => part !== '',
  );
  replaceBetween(page, marks, parts.join('\n\n'));
}

/** Where and when a result was had. */
export function runOn(runtime) {
  const [cpu, ...others] = cpus();
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, ${runtime}, ${others.length + 1} cores (${cpu?.model.replace(/\s.*/, '')})`;
}

function cells({ name, what, seconds, tests, passed, isGood, seed, on, isShort, isBusy }) {
  const count = tests === 0 ? (isGood ? 'yes' : '**no**') : `${passed} of ${tests}`;
  const verdict = isGood ? count : `**${count}**`;
  const notes = `${isShort ? ', short' : ''}${isBusy ? ', on a busy machine' : ''}`;
  return [name, what, String(Math.round(seconds)), verdict, seed, `${on}${notes}`];
}
