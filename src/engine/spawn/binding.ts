import { OutliveError } from '../../errors/error.ts';
import type { Bond } from '../../model/words.ts';
import type { System } from '../../platform/system.ts';
import type { BindTo } from './spawn-request.ts';

/**
 * What a task is bound to, for its record: a process is an identity there, taken now.
 * @throws OutliveError `INVALID_ARGUMENT` when there is no such process.
 */
export function bindingOf(bindTo: BindTo | null, system: System): Bond | null {
  if (bindTo === null || bindTo === 'session') return bindTo;
  const self = system.self();
  if (bindTo.pid === self.pid) return self;
  const seen = system.view(bindTo.pid);
  if (seen !== null && !seen.zombie) return { ...self, pid: seen.pid, start: seen.start };
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected bindTo.pid to be a live process; found none with pid ${bindTo.pid}. Bind to process.pid, to another live process, or to 'session'.`,
  );
}
