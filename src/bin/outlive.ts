#!/usr/bin/env node
import { type BundleName, loadBundle } from './load-bundle.ts';

// Where nothing is left to do the end would come by itself; Node takes 3 ms to take its heap apart, for nobody.
process.once('beforeExit', () => process.exit());

/** Verbs that are seldom used, and need as much as all the others do. */
const inMore: ReadonlySet<string> = new Set(['ui', 'top', 'setup']);

/** Only with one of these words is a verb for a fleet. */
const ofFleet = /^(?:--fleet|--on(?:=.*)?|[a-z0-9-]{1,63}\/bgb-[0-9a-f]{12})$/;

/** In front of a verb that another machine asks for. What follows it is read later. */
const answering = '__remote';

/** Milliseconds after the work is done. */
const longestEndMs = 2_000;

const words = process.argv.slice(2);
const bundle = programFor(words);
const { run } = loadBundle(bundle);
run(words).then(
  (status) => {
    process.exitCode = status;
    // An attempt to connect to a server that is cut off cannot be taken back, and would keep this process for two minutes.
    if (bundle !== 'program') setTimeout(() => process.exit(), longestEndMs).unref();
  },
  (error: unknown) => {
    // Not in this turn: otherwise it looks like a rejection that a handler may still catch.
    setImmediate(() => {
      throw error;
    });
  },
);

/**
 * The MCP servers are three times as much as all the rest. A task may be named as a verb, so only the place tells a verb: each
 * bundle does all that these words can mean, and the smaller ones start faster.
 */
function programFor(typed: readonly string[]): BundleName {
  const verb = verbIn(typed);
  if (verb === 'mcp') return 'program-with-mcp';
  if (inMore.has(verb)) return 'program-with-more';
  const mayBeOfFleet = verb === 'fleet' || typed[0] === answering || typed.some((word) => ofFleet.test(word));
  return mayBeOfFleet ? 'program-with-fleet' : 'program';
}

/** The first word that is no option of the program itself, of which one has a value. */
function verbIn(typed: readonly string[]): string {
  if (typed[0] === answering) return typed[2] ?? '';
  for (let at = 0; at < typed.length; at += 1) {
    const word = typed[at] ?? '';
    if (word === '--host') at += 1;
    else if (!word.startsWith('-')) return word;
  }
  return '';
}
