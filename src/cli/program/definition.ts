import type { Command } from 'commander';
import type { Verb } from '../verb.ts';

/** A verb: its options, what runs it, and examples. */
export type Definition = readonly [Command, () => Promise<Verb<never>>, readonly string[]];
