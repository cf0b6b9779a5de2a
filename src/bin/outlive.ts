#!/usr/bin/env node
import { type BundleName, loadBundle } from './load-bundle.ts';

// Where nothing is left to do the end would come by itself; Node takes 3 ms to take its heap apart, for nobody.
process.once('beforeExit', () => process.exit());

/** Verbs that are seldom used, and need as much as all the others do. */
const inMore: ReadonlySet<string> = new Set(['ui', 'top', 'setup']);

/** Only with one of these words is anything asked of a fleet. What another machine asks for is known when it is read. */
const ofFleet = /^(?:fleet|--fleet|--on(?:=.*)?|__remote|[a-z0-9-]{1,63}\/bgb-[0-9a-f]{12})$/;

const words = process.argv.slice(2);
const { run } = loadBundle(programFor(words));
run(words).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    // Not in this turn: nobody else is to take it for a rejection that somebody may still handle.
    setImmediate(() => {
      throw error;
    });
  },
);

/**
 * The MCP servers are three times as much as all the rest. Options may stand before the verb, and a task may be named as one:
 * each bundle does all that these words can mean, and the smaller ones start faster.
 */
function programFor(typed: readonly string[]): BundleName {
  if (typed.some((word) => ofFleet.test(word))) return 'program-with-fleet';
  if (typed.includes('mcp')) return 'program-with-mcp';
  return typed.some((word) => inMore.has(word)) ? 'program-with-more' : 'program';
}
