#!/usr/bin/env node
import { type BundleName, loadBundle } from './load-bundle.ts';

// Where nothing is left to do the end would come by itself; Node takes 3 ms to take its heap apart, for nobody.
process.once('beforeExit', () => process.exit());

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

/** The servers and what they need are three times as much as all the rest. A task that is named mcp costs some milliseconds. */
function programFor(typed: readonly string[]): BundleName {
  if (typed.includes('mcp')) return 'program-with-mcp';
  return typed[0] === 'ui' ? 'program-with-ui' : 'program';
}
