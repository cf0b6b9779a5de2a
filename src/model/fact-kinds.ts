import type { Fact } from './facts.ts';

/** Facts that nobody but the shim appends. */
export const ofShim: ReadonlySet<Fact['fact']> = new Set(['waiting', 'started', 'exit']);

/** What would open a task again that is done. */
export const opens: ReadonlySet<Fact['fact']> = new Set(['stop', 'watch']);

/** Those of {@link ofShim} that it appends once. */
export const onceOfShim: ReadonlySet<Fact['fact']> = new Set(['waiting', 'started']);

/** What the spawner and the shim append; all else is of others. */
export const own: ReadonlySet<Fact['fact'] | undefined> = new Set([
  'spec',
  'waiting',
  'started',
  'stopping',
  'attached',
  'detached',
  'exit',
  'left',
  'gone',
  'hook',
  'hooked',
]);
